"""Shell lines that ask an app until it proves how it signs in."""

from collections.abc import Sequence

from bot_workbench.admin.plan.shell import quoted
from bot_workbench.admin.plan.target import Target


def proof_loop(
    target: Target, proved: Sequence[str], *, attempts: int, pause: int, advice: str
) -> tuple[str, ...]:
    """A loop for bash that prints the app's answer at its end, or ends the script without a proof.

    Args:
        target: has the app.
        proved: lines that leave the loop if $FACTS, the app's answer, is the proof.
        attempts: how often the app is asked.
        pause: seconds between two attempts.
        advice: printed after "no proof: " when the attempts run out.

    Raises:
        AzureProblem: the app cannot be found.
    """
    app = target.site_id
    return (
        f"for attempt in $(seq {attempts}); do",
        "  FACTS=$(curl --fail --silent --show-error"
        f" {quoted(f'https://{target.host}/api/identity')} --header \\",
        '    "x-functions-key: $(az functionapp function keys list'
        f" --subscription {quoted(app.subscription)}"
        f" --resource-group {quoted(app.resource_group)} --name {quoted(app.name)} \\",
        '      --function-name identity --query default --output tsv)" || true)',
        *(f"  {line}" for line in proved),
        f'  if [ "$attempt" = {attempts} ]; then echo "no proof: {advice}"; exit 1; fi',
        f'  echo "attempt $attempt: not yet"; sleep {pause}',
        "done",
        'echo "$FACTS"',
    )
