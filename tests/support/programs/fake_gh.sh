#!/bin/bash
# GitHub's `gh` for `pins_workflow.py`: writes its calls down and knows one pull request.
echo "$1 $2 $3 $4" >> "$GH_CALLS"
if [ "$1 $2" = "pr list" ]; then cat "$GH_OPENED"; fi
if [ "$1 $2" = "pr create" ]; then echo 1 > "$GH_OPENED"; fi
