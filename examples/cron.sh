#!/usr/bin/env bash
# A night's work for cron: takes up what earlier nights left, then gathers tonight's pairs.
#
#   17 2 * * *  cd /srv/books && READERS=readers.jsonl BOOKS=books.jsonl MAX_COST=5 \
#               PATH="/srv/gravity/.venv/bin:$PATH" /srv/gravity/examples/cron.sh >> nightly.log 2>&1
#   (in the crontab, write it on one line)
#
# Once more in the same night changes nothing: a finished run stays as it is, others go on where
# they stand. Runs that wait for a person go on when all is decided. The model and the rest of the
# settings come from gravity.toml here; a run goes on under those it began with.
#
# Exit codes are gravity's: 0 all is done that can be done without a person; 6 a run has reached
# MAX_COST (dollars for each run), the others were worked on; whatever else stops a run stops the
# night: 2 wrong input, 3 the model, 4 the disk, or another process is still at work on the run,
# 130 or 143 stopped. The next night takes up what is left.
set -euo pipefail

: "${READERS:?name a file of readers}" "${BOOKS:?name the file of their books}"
night=nightly-$(date +%F)
code=0

say() { echo "$(date '+%F %T') $*"; }

gather() {
	say "$*"
	gravity synth --max-cost "${MAX_COST:-1}" --settings kept "$@" || {
		code=$?
		say "exit code $code"
		[[ $code == 6 ]] || exit "$code"
	}
}

unfinished() {
	gravity runs list --json | python3 -c '
import json, sys
for run in reversed(json.load(sys.stdin)):
    if run["id"].startswith("nightly-") and run["status"] != "finished":
        print(run["id"])'
}

earlier=$(unfinished)
for run in $earlier; do
	[[ $run == "$night" ]] || gather --run "$run"
done
gather --run "$night" --readers "$READERS" --books "$BOOKS"
exit "$code"
