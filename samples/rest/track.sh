curl -X POST \
https://api.candu.ai/api/eventWebhook \
-H 'content-type: application/json' \
-H 'Authorization: Bearer [YOUR_API_KEY]' \
--data '
{
"type": "track",
"userId": "[USER_ID]",
"event": "Upgraded plan",
"properties": {
"amountPaidInUSD": 30,
"newPlan": "Business+"
},
"timestamp": "2022-01-20T11:21:02Z"
}
'
