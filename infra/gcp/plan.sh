# shellcheck shell=bash disable=SC2154 # deploy.sh sets the options
# Writes the commands for Google Cloud as a script, which deploy.sh prints or runs. deploy.sh has checked every value,
# so single quotes are enough.

readonly ACCOUNTS='search reindex events schedule build'
readonly EVENTS='finalized deleted archived'
readonly DELIVERIES=100 # the most that Pub/Sub takes; with pauses of up to 10 minutes they last some 16 hours

account() { echo "$name-$1@$project.iam.gserviceaccount.com"; }

prelude() {
  cat <<END
set -euo pipefail
export CLOUDSDK_CORE_DISABLE_PROMPTS=1
exists() { "\$@" >/dev/null 2>&1; }
END
}

deploy_plan() {
  local each mode_variable private='' secrets=''
  case $mode in
    signed)
      mode_variable="SIGNED_URL_SECONDS=$signed_url_seconds|GOOGLE_APPLICATION_CREDENTIALS=/secrets/signing/key.json"
      private=' --public-access-prevention'
      secrets=" --set-secrets=/secrets/signing/key.json=$name-signing-key:latest"
      ;;
    *) mode_variable="IMAGE_BASE_URL=$image_base_url" ;;
  esac

  prelude
  cat <<END
# A new account, its roles and a newly enabled service work only after a minute or so.
pause=\${RETRY_SECONDS:-10}
again() {
  for _ in 1 2 3 4 5; do
    "\$@" && return
    sleep "\$pause"
  done
  "\$@"
}

# Services of the project
gcloud services enable run.googleapis.com cloudbuild.googleapis.com artifactregistry.googleapis.com \\
  eventarc.googleapis.com pubsub.googleapis.com cloudscheduler.googleapis.com storage.googleapis.com \\
  iam.googleapis.com secretmanager.googleapis.com monitoring.googleapis.com billingbudgets.googleapis.com \\
  --project=$project

# Buckets
exists gcloud storage buckets describe gs://$index_bucket --project=$project ||
  gcloud storage buckets create gs://$index_bucket --project=$project --location=$region \\
    --uniform-bucket-level-access --public-access-prevention --soft-delete-duration=7d
END
  if [[ $create_gallery ]]; then
    cat <<END
exists gcloud storage buckets describe gs://$gallery_bucket --project=$project ||
  gcloud storage buckets create gs://$gallery_bucket --project=$project --location=$region \\
    --uniform-bucket-level-access$private
END
  fi
  cat <<END
# Triggers must be in the location of the gallery's bucket. If there is no such bucket, the script ends here.
gallery_location=\$(gcloud storage buckets describe gs://$gallery_bucket --project=$project \\
  --format='value(location)' | tr '[:upper:]' '[:lower:]')

# Accounts for each function, for the callers of the re-index, and for the build
fresh=
END
  for each in $ACCOUNTS; do
    cat <<END
exists gcloud iam service-accounts describe $(account "$each") --project=$project || {
  gcloud iam service-accounts create $name-$each --project=$project --display-name='$name: $each'
  fresh=1
}
END
  done

  echo
  echo '# Roles'
  grant_bucket "$index_bucket" "serviceAccount:$(account search)" storage.objectViewer
  grant_bucket "$index_bucket" "serviceAccount:$(account reindex)" storage.objectUser
  grant_bucket "$gallery_bucket" "serviceAccount:$(account reindex)" storage.objectViewer
  [[ -z $feed_bucket ]] || grant_bucket "$feed_bucket" "serviceAccount:$(account reindex)" storage.objectViewer
  case $mode in
    signed) grant_bucket "$gallery_bucket" "serviceAccount:$(account search)" storage.objectViewer ;;
    # This role reads but does not list.
    public) grant_bucket "$gallery_bucket" allUsers storage.legacyObjectReader ;;
  esac
  grant_project "serviceAccount:$(account build)" run.builder
  grant_project "serviceAccount:$(account events)" eventarc.eventReceiver
  cat <<END
storage_agent=\$(gcloud storage service-agent --project=$project)
END
  # shellcheck disable=SC2016 # the plan's own variable
  grant_project 'serviceAccount:$storage_agent' pubsub.publisher

  cat <<END
if [[ \$fresh ]]; then sleep "\$((pause * 6))"; fi

# The sources to upload
staged=\$(mktemp -d)
trap 'rm -rf "\$staged"' EXIT
$(printf %q "$here/stage.sh") "\$staged"

# The images: two of each function are kept, to go back, and what is a week old at most
exists gcloud artifacts repositories describe $name --project=$project --location=$region ||
  gcloud artifacts repositories create $name --project=$project --location=$region --repository-format=docker
cat >"\$staged/cleanup.json" <<'JSON'
[
  {"name": "old", "action": {"type": "Delete"}, "condition": {"olderThan": "7d"}},
  {"name": "newest", "action": {"type": "Keep"}, "mostRecentVersions": {"keepCount": 2}}
]
JSON
gcloud artifacts repositories set-cleanup-policies $name --project=$project --location=$region \\
  --policy="\$staged/cleanup.json" --no-dry-run
END
  if [[ $mode == signed ]]; then
    cat <<END

# The key that signs the gallery's URLs
exists gcloud secrets describe $name-signing-key --project=$project || {
  again gcloud iam service-accounts keys create "\$staged/key.json" --project=$project \\
    --iam-account=$(account search)
  gcloud secrets create $name-signing-key --project=$project --replication-policy=automatic \\
    --data-file="\$staged/key.json"
}
again gcloud secrets add-iam-policy-binding $name-signing-key --project=$project \\
  --member=serviceAccount:$(account search) --role=roles/secretmanager.secretAccessor
END
  fi

  cat <<END

# Functions. Eight of the eleven threads search; the others refuse further requests.
gcloud run deploy $name-search --project=$project --region=$region \\
  --source="\$staged/search" --image=$(images) --function=search --base-image=python313 \\
  --service-account=$(account search) \\
  --build-service-account=projects/$project/serviceAccounts/$(account build) \\
  --allow-unauthenticated --memory=$memory --cpu=1 --cpu-boost --concurrency=8 --max-instances=$max_instances \\
  --timeout=60$secrets \\
  --set-env-vars='^|^INDEX_URI=$index|GALLERY_URI=$gallery|$mode_variable|CORS_ORIGINS=$cors_origins|THREADS=11'
END
  # Events during a rebuild wait in the same instance and share the next rebuild, so a call may take as long as two.
  reindex_function reindex 540 270 80 reindex "--source=\"\$staged/reindex\" --image=$(images) --function=reindex"
  echo "# The same image: FUNCTION_TARGET says which of its functions answers."
  echo "image=\$(gcloud run services describe $name-reindex --project=$project --region=$region \\"
  echo "  --format='value(spec.template.spec.containers[0].image)')"
  reindex_function reindex-scheduled 1800 1800 1 reindex_scheduled '--image="$image"'

  cat <<END

# Permission to call the re-index
END
  grant_run reindex events
  grant_run reindex-scheduled schedule
  cat <<END

# Where events end that cannot be handled
exists gcloud pubsub topics describe $name-dead-letters --project=$project ||
  gcloud pubsub topics create $name-dead-letters --project=$project
exists gcloud pubsub subscriptions describe $name-dead-letters --project=$project ||
  gcloud pubsub subscriptions create $name-dead-letters --project=$project --topic=$name-dead-letters \\
    --message-retention-duration=7d --expiration-period=never
pubsub_agent=service-\$(gcloud projects describe $project --format='value(projectNumber)')@gcp-sa-pubsub.iam.gserviceaccount.com
again gcloud pubsub topics add-iam-policy-binding $name-dead-letters --project=$project \\
  --member="serviceAccount:\$pubsub_agent" --role=roles/pubsub.publisher
END
  echo
  echo '# Events of the gallery. Without a deadline of its own, Eventarc would send an event again after 10 seconds.'
  for each in $EVENTS; do
    cat <<END
exists gcloud eventarc triggers describe $name-$each --project=$project --location="\$gallery_location" ||
  again gcloud eventarc triggers create $name-$each --project=$project --location="\$gallery_location" \\
    --event-filters=type=google.cloud.storage.object.v1.$each --event-filters=bucket=$gallery_bucket \\
    --destination-run-service=$name-reindex --destination-run-region=$region \\
    --service-account=$(account events)
subscription=\$(gcloud eventarc triggers describe $name-$each --project=$project --location="\$gallery_location" \\
  --format='value(transport.pubsub.subscription)')
again gcloud pubsub subscriptions add-iam-policy-binding "\$subscription" --project=$project \\
  --member="serviceAccount:\$pubsub_agent" --role=roles/pubsub.subscriber
gcloud pubsub subscriptions update "\$subscription" --project=$project --ack-deadline=600 \\
  --dead-letter-topic=$name-dead-letters --max-delivery-attempts=$DELIVERIES
END
  done

  cat <<END

# Schedule. Cloud Scheduler waits for at most 30 minutes.
scheduled=\$(gcloud run services describe $name-reindex-scheduled --project=$project --region=$region \\
  --format='value(status.url)')
verb=create
if exists gcloud scheduler jobs describe $name-reindex --project=$project --location=$region; then verb=update; fi
gcloud scheduler jobs "\$verb" http $name-reindex --project=$project --location=$region \\
  --schedule='$schedule' --time-zone=Etc/UTC --uri="\$scheduled" --http-method=post \\
  --oidc-service-account-email=$(account schedule) --oidc-token-audience="\$scheduled" \\
  --attempt-deadline=1800s --max-retry-attempts=5
$(watch_plan)

address=\$(gcloud run services describe $name-search --project=$project --region=$region --format='value(status.url)')
echo "The search answers at \$address"
END
}

images() { echo "$region-docker.pkg.dev/$project/$name"; }

reindex_function() { # service, seconds per call, seconds per rebuild, calls at once, target, options for its image
  local products="UNLISTED=$unlisted${feed:+|FEED_URI=$feed}${image_base_url:+|IMAGE_BASE_URL=$image_base_url}"
  cat <<END
gcloud run deploy $name-$1 --project=$project --region=$region \\
  $6 --base-image=python313 \\
  --service-account=$(account reindex) \\
  --build-service-account=projects/$project/serviceAccounts/$(account build) \\
  --no-allow-unauthenticated --memory=$reindex_memory --cpu=2 --concurrency=$4 --max-instances=1 --timeout=$2 \\
  --set-env-vars='^|^INDEX_URI=$index|GALLERY_URI=$gallery|REINDEX_SECONDS=$3|THREADS=$4|FUNCTION_TARGET=$5|$products'
END
}

grant_bucket() { # bucket, member, role
  cat <<END
again gcloud storage buckets add-iam-policy-binding gs://$1 --project=$project --member=$2 --role=roles/$3
END
}

grant_project() { # member, role
  cat <<END
again gcloud projects add-iam-policy-binding $project --member="$1" --role=roles/$2 --condition=None
END
}

grant_run() { # service, account
  cat <<END
again gcloud run services add-iam-policy-binding $name-$1 --project=$project --region=$region \\
  --member=serviceAccount:$(account "$2") --role=roles/run.invoker
END
}

remove_plan() {
  local each
  prelude
  cat <<END
withdraw() { "\$@" >/dev/null || echo "left: \$*" >&2; }
gcloud projects describe $project --format='value(projectId)'

# Triggers and schedule
for trigger in \$(gcloud eventarc triggers list --project=$project \\
  --filter='name ~ /triggers/$name-(${EVENTS// /|})\$' --format='value(name)'); do
  gcloud eventarc triggers delete "\$trigger" --project=$project
done
if exists gcloud scheduler jobs describe $name-reindex --project=$project --location=$region; then
  gcloud scheduler jobs delete $name-reindex --project=$project --location=$region
fi

# Dead letters, alarms and images
if exists gcloud pubsub subscriptions describe $name-dead-letters --project=$project; then
  gcloud pubsub subscriptions delete $name-dead-letters --project=$project
fi
if exists gcloud pubsub topics describe $name-dead-letters --project=$project; then
  gcloud pubsub topics delete $name-dead-letters --project=$project
fi
$(unwatch_plan)
if exists gcloud artifacts repositories describe $name --project=$project --location=$region; then
  gcloud artifacts repositories delete $name --project=$project --location=$region
fi

# Functions
for service in $name-search $name-reindex $name-reindex-scheduled; do
  if exists gcloud run services describe "\$service" --project=$project --region=$region; then
    gcloud run services delete "\$service" --project=$project --region=$region
  fi
done
if exists gcloud secrets describe $name-signing-key --project=$project; then
$(withdraw_bucket "$gallery_bucket" search storage.objectViewer)
  gcloud secrets delete $name-signing-key --project=$project
fi

# Accounts. Remove their roles first, because a policy would keep those of a deleted account.
END
  for each in $ACCOUNTS; do
    echo "if exists gcloud iam service-accounts describe $(account "$each") --project=$project; then"
    case $each in
      search) withdraw_bucket "$index_bucket" search storage.objectViewer ;;
      reindex)
        withdraw_bucket "$index_bucket" reindex storage.objectUser
        withdraw_bucket "$gallery_bucket" reindex storage.objectViewer
        [[ -z $feed_bucket ]] || withdraw_bucket "$feed_bucket" reindex storage.objectViewer
        ;;
      events) withdraw_project events eventarc.eventReceiver ;;
      build) withdraw_project build run.builder ;;
    esac
    cat <<END
  gcloud iam service-accounts delete $(account "$each") --project=$project
fi
END
  done
  if [[ $mode == public ]]; then
    cat <<END
withdraw gcloud storage buckets remove-iam-policy-binding gs://$gallery_bucket --project=$project \\
  --member=allUsers --role=roles/storage.legacyObjectReader
END
  fi
  for each in $delete_buckets; do
    cat <<END

# A bucket with everything in it
if exists gcloud storage buckets describe gs://$each --project=$project; then
  gcloud storage rm gs://$each --recursive --project=$project
fi
END
  done
}

withdraw_bucket() { # bucket, account, role
  echo "  withdraw gcloud storage buckets remove-iam-policy-binding gs://$1 --project=$project \\"
  echo "    --member=serviceAccount:$(account "$2") --role=roles/$3"
}

withdraw_project() { # account, role
  echo "  withdraw gcloud projects remove-iam-policy-binding $project \\"
  echo "    --member=serviceAccount:$(account "$1") --role=roles/$2 --condition=None"
}
