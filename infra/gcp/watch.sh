# shellcheck shell=bash disable=SC2154 # deploy.sh sets the options
# Writes the commands for alarms and the budget, which exist only where somebody hears them.

readonly ALARMS='failed-searches failed-schedule dead-letters'

# The filter of an alarm's metric, and what to do when it rings.
alarm() {
  local run='resource.type=\"cloud_run_revision\" AND metric.type=\"run.googleapis.com/request_count\"'
  case $1 in
    failed-searches)
      condition="$run AND resource.labels.service_name=\\\"$name-search\\\" AND metric.labels.response_code_class=\\\"5xx\\\""
      advice='Searches are answered with 500 to 504, for example because there is no index or storage fails; see the log.'
      aligner=ALIGN_SUM
      ;;
    failed-schedule) # 503 only says that it is unfinished, and is called again
      condition="$run AND resource.labels.service_name=\\\"$name-reindex-scheduled\\\" AND metric.labels.response_code=\\\"500\\\""
      advice='A scheduled re-index failed; see its log.'
      aligner=ALIGN_SUM
      ;;
    dead-letters)
      condition='resource.type=\"pubsub_subscription\" AND metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\"'
      condition+=" AND resource.labels.subscription_id=\\\"$name-dead-letters\\\""
      advice='An event of the gallery could not be handled; see the log of the re-index. The schedule makes up for it.'
      aligner=ALIGN_MAX
      ;;
  esac
}

watch_plan() {
  local each condition advice aligner
  if [[ $alarm_email ]]; then
    cat <<END

# Alarms
channel=\$(gcloud beta monitoring channels list --project=$project --filter='displayName="$name-alarms"' \\
  --format='value(name)')
[[ \$channel ]] || channel=\$(gcloud beta monitoring channels create --project=$project --type=email \\
  --display-name=$name-alarms --channel-labels=email_address='$alarm_email' --format='value(name)')
END
    for each in $ALARMS; do
      alarm "$each"
      cat <<END
[[ \$($(named_alarm "$each")) ]] ||
  gcloud alpha monitoring policies create --project=$project --notification-channels="\$channel" --policy='{
    "displayName": "$name-$each", "combiner": "OR", "documentation": {"content": "$advice"},
    "conditions": [{"displayName": "$each", "conditionThreshold": {
      "filter": "$condition",
      "aggregations": [{"alignmentPeriod": "300s", "perSeriesAligner": "$aligner", "crossSeriesReducer": "REDUCE_SUM"}],
      "comparison": "COMPARISON_GT", "thresholdValue": 0, "duration": "0s"}}]}'
END
    done
  fi
  if [[ $budget ]]; then
    cat <<END

# The budget: it warns, and stops nothing
[[ \$($(named_budget)) ]] ||
  gcloud billing budgets create --billing-account=$billing_account --display-name=$name --budget-amount=$budget \\
    --filter-projects=projects/$project --threshold-rule=percent=0.8 \\
    --threshold-rule=percent=1.0,basis=forecasted-spend${alarm_email:+ \\
    --notifications-rule-monitoring-notification-channels="\$channel"}
END
  fi
}

# Without the alpha and beta commands of gcloud there are no alarms, and nothing to remove.
unwatch_plan() {
  local each
  for each in $ALARMS; do
    cat <<END
for policy in \$($(named_alarm "$each") 2>/dev/null || true); do
  gcloud alpha monitoring policies delete "\$policy" --project=$project
done
END
  done
  cat <<END
for channel in \$(gcloud beta monitoring channels list --project=$project --filter='displayName="$name-alarms"' \\
  --format='value(name)' 2>/dev/null || true); do
  gcloud beta monitoring channels delete "\$channel" --project=$project
done
END
  if [[ $billing_account ]]; then
    cat <<END
for found in \$($(named_budget)); do
  gcloud billing budgets delete "\$found"
done
END
  fi
}

named_alarm() {
  echo "gcloud alpha monitoring policies list --project=$project --filter='displayName=\"$name-$1\"' --format='value(name)'"
}

named_budget() {
  echo "gcloud billing budgets list --billing-account=$billing_account --filter='displayName=\"$name\"' --format='value(name)'"
}
