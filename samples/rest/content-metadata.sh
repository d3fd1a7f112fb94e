curl -X GET \
https://api.candu.ai/api/contentMetadata \
-H 'content-type: application/json' \
-H 'Authorization: Bearer TestApiKey'
