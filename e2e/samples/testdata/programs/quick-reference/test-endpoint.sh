curl --silent --request POST http://localhost:3000/api/custom/session \
  --header "Content-Type: application/json" \
  --header "Authorization: Bearer test-token"
