curl -X POST \
https://api.candu.ai/api/eventWebhook \
-H 'content-type: application/json' \
-H 'Authorization: Bearer [YOUR_API_KEY]' \
--data '
{
"type": "identify",
"userId": "[USER_ID]",
"traits": {
"email": "[email protected]",
"location": "New York",
"isAdmin": true
},
"timestamp": "2021-11-01T15:58:02Z"
}
'
