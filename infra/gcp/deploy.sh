#!/usr/bin/env bash
# Deploys, updates or removes the service on Google Cloud; docs/deploy-google.md explains it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=plan.sh
source "$here/plan.sh"
# shellcheck source=watch.sh
source "$here/watch.sh"

usage() {
  cat <<'END'
usage: infra/gcp/deploy.sh --project ID --region REGION --gallery gs://BUCKET[/PREFIX] --index gs://BUCKET[/PREFIX]
                           (--image-base-url URL | --signed-url-seconds N | --public-gallery) [option ...]
       infra/gcp/deploy.sh --remove --project ID --region REGION --gallery gs://... --index gs://... [option ...]

How the page gets the photos:
  --image-base-url URL      public address of the gallery, for example a CDN's
  --signed-url-seconds N    keep the gallery private; answers have URLs that work for N seconds
  --public-gallery          let everybody read (not list) the gallery's bucket, and use its address

Options:
  --create-gallery          create the gallery's bucket if it is missing
  --name NAME               prefix of all names, a different one for each stage (garment-search)
  --cors-origins LIST       pages that may read answers: * or https://a.example,https://b.example (*)
  --feed gs://BUCKET/PATH   the product feed, if it is not feed.csv in the gallery
  --unlisted keep|hide      whether searches find photos that the feed does not list (keep)
  --schedule CRON           when to compare the whole index with the gallery, in UTC (17 3 * * *)
  --memory SIZE             memory of the search (1Gi)
  --reindex-memory SIZE     memory of the re-index (2Gi)
  --max-instances N         most instances of the search, which caps the bill (10: $687 a month)
  --alarm-email ADDRESS     mail alarms to this address; needs gcloud's alpha and beta commands
  --budget AMOUNT           warn when a month of the project costs so much, in the currency of ...
  --billing-account ID      ... this billing account
  --dry-run                 print the commands as a script, and do nothing

Removing:
  --remove                  delete functions, triggers, schedule, accounts and roles, but no bucket
  --public-gallery          also withdraw public access to the gallery
  --delete-index            also delete the index's bucket and everything in it
  --delete-gallery          also delete the gallery's bucket and everything in it
END
}

fail() {
  echo "deploy.sh: $1" >&2
  exit 2
}

# check OPTION VALUE PATTERN HINT
check() {
  [[ $2 =~ ^($3)$ ]] || fail "$1 is '$2': give $4"
}

project='' region='' gallery='' index='' image_base_url='' signed_url_seconds='' create_gallery='' name=garment-search
feed='' unlisted=keep cors_origins='*' schedule='17 3 * * *' memory=1Gi reindex_memory=2Gi max_instances=10
alarm_email='' budget='' billing_account=''
dry_run='' remove='' mode='' delete_index='' delete_gallery=''

set_mode() {
  [[ -z $mode ]] || fail "choose one of --image-base-url, --signed-url-seconds and --public-gallery"
  mode=$1
}

while (($#)); do
  case $1 in
    --create-gallery) create_gallery=1 ;;
    --public-gallery) set_mode public ;;
    --dry-run) dry_run=1 ;;
    --remove) remove=1 ;;
    --delete-index) delete_index=1 ;;
    --delete-gallery) delete_gallery=1 ;;
    -h | --help)
      usage
      exit
      ;;
    --project | --region | --gallery | --index | --image-base-url | --signed-url-seconds | --name | --cors-origins | \
      --feed | --unlisted | --schedule | --memory | --reindex-memory | --max-instances | --alarm-email | --budget | \
      --billing-account)
      (($# > 1)) || fail "$1 needs a value"
      case $1 in
        --image-base-url) set_mode url ;;
        --signed-url-seconds) set_mode signed ;;
      esac
      variable=${1#--}
      printf -v "${variable//-/_}" %s "$2"
      shift
      ;;
    *) fail "unknown option $1; --help lists all options" ;;
  esac
  shift
done

uri='gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9](/[A-Za-z0-9._/-]*[A-Za-z0-9._-])?'
# As in functions/settings.py: a browser's origin, or an app's such as capacitor://localhost.
origin='[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?'
check --project "$project" '[a-z][a-z0-9-]{4,28}[a-z0-9]' "the project's id, such as my-project"
check --region "$region" '[a-z]+-[a-z]+[0-9]+' 'a region, such as europe-west1'
check --gallery "$gallery" "$uri" 'gs://BUCKET or gs://BUCKET/PREFIX, with letters, digits and ._-/ in the prefix'
check --index "$index" "$uri" 'gs://BUCKET or gs://BUCKET/PREFIX, with letters, digits and ._-/ in the prefix'
[[ -z $feed ]] || check --feed "$feed" "$uri" 'gs://BUCKET/PATH of a file, with letters, digits and ._-/'
check --unlisted "$unlisted" 'keep|hide' 'keep or hide'
for place in "$gallery" "$index" "$feed"; do
  [[ ! ${place#gs://}/ =~ //|/\.\.?/ ]] || fail "$place: a prefix must have no empty, . or .. part"
done
# The longest name of an account is NAME-schedule, and Google allows 30 characters.
check --name "$name" '[a-z][a-z0-9-]{0,19}[a-z0-9]' '2 to 21 lower-case letters, digits and hyphens'
check --cors-origins "$cors_origins" "\\*|$origin(,$origin)*" '* or origins such as https://a.example,https://b.example'
check --schedule "$schedule" '[0-9*/,-]+( [0-9A-Za-z*/,-]+){4}' "a cron schedule, such as '17 3 * * *'"
check --memory "$memory" '[0-9]+[MG]i' 'for example 1Gi'
check --reindex-memory "$reindex_memory" '[0-9]+[MG]i' 'for example 2Gi'
check --max-instances "$max_instances" '[1-9][0-9]{0,3}' 'a whole number'
[[ -z $alarm_email ]] || check --alarm-email "$alarm_email" "[^@'\"[:space:]]+@[^@'\"[:space:]]+" 'an email address'
[[ -z $budget ]] || check --budget "$budget" '[1-9][0-9]{0,6}' 'a whole number, without the currency'
[[ -z $billing_account ]] || check --billing-account "$billing_account" '[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}' 'its id, such as 0X0X0X-0X0X0X-0X0X0X'
[[ -z $budget || $billing_account ]] || fail '--budget needs --billing-account'
if [[ $image_base_url ]]; then
  check --image-base-url "$image_base_url" "https?://[^]?#|'\"[:space:][]+" 'an http(s) address without a query'
fi
if [[ $signed_url_seconds ]]; then
  check --signed-url-seconds "$signed_url_seconds" '[1-9][0-9]{0,5}' 'a whole number from 1 to 604800 (7 days)'
  ((signed_url_seconds <= 604800)) || fail '--signed-url-seconds: Google signs for at most 604800 seconds (7 days)'
fi

gallery_bucket=${gallery#gs://} gallery_bucket=${gallery_bucket%%/*}
index_bucket=${index#gs://} index_bucket=${index_bucket%%/*}
feed_bucket=${feed#gs://} feed_bucket=${feed_bucket%%/*}
[[ $feed_bucket != "$gallery_bucket" ]] || feed_bucket=''
# In the gallery's bucket, every file of the index would cause an event, and readers of the gallery could read it.
[[ $gallery_bucket != "$index_bucket" ]] || fail 'the index needs its own bucket, not the one of the gallery'
if [[ $mode == public ]]; then image_base_url=https://storage.googleapis.com/${gallery#gs://}; fi

if [[ $remove ]]; then
  delete_buckets="${delete_index:+$index_bucket} ${delete_gallery:+$gallery_bucket}"
  plan=$(remove_plan)
else
  [[ $mode ]] || fail 'say how the page gets the photos: --image-base-url, --signed-url-seconds or --public-gallery'
  [[ -z $delete_index$delete_gallery ]] || fail '--delete-index and --delete-gallery need --remove'
  plan=$(deploy_plan)
fi

if [[ $dry_run ]]; then
  echo "$plan"
  exit
fi
command -v gcloud >/dev/null || fail 'gcloud is not installed; see https://cloud.google.com/sdk/docs/install'
if ! bash -x -c "$plan"; then
  {
    echo
    echo "deploy.sh: stopped: the last command above failed, and the ones after it did not run."
    echo "Fix what it reports and run the same command again; it keeps what exists already."
    echo "docs/deploy-google.md lists the usual causes."
  } >&2
  exit 1
fi
