# sh app_package/local_certificate.sh APP_ID
#
# Creates a certificate for a bot that runs on this machine, and adds its public key to the app
# registration with that id. Needs openssl, and the Azure CLI, signed in to the app's tenant.
# Does nothing if there is one that is valid tomorrow. CertificatePath names .cache/teams-APP_ID.pem.
set -eu
file=".cache/teams-$1"
if openssl x509 -checkend 86400 -noout -in "$file.pem" >/dev/null 2>&1; then exit 0; fi
mkdir -p .cache
umask 077 # the private key is its owner's alone
openssl req -x509 -newkey rsa:2048 -nodes -days 90 -subj "/CN=local-bot" \
  -keyout "$file.key" -out "$file.crt" 2>/dev/null
# Without --append, every other credential of the app would be deleted.
az ad app credential reset --id "$1" --append --cert "@$file.crt" \
  --display-name local-bot --output none
# Last, so that a failed upload is repeated.
cat "$file.key" "$file.crt" > "$file.pem"
rm "$file.key" "$file.crt"
