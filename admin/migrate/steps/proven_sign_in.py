"""ProvenSignIn: the deployed app signs in with the credential that it should use."""

from collections.abc import Callable, Mapping

from admin.azure.json_object import JsonObject
from admin.migrate.shell import quoted
from admin.migrate.step import Finding
from admin.migrate.target import Target

LABELS = {
    "kind": "credential",
    "appId": "app id",
    "certificateThumbprint": "thumbprint",
}


class ProvenSignIn:
    """The app's `/api/identity` answers with the expected facts.

    Args:
        target: has the app.
        expected: the facts that must be so, by their names in the answer; compared without regard
            to case. A value may be a shell variable while it is not known.
        proofs: how many looks must succeed one after the other. Entra may refuse a new credential
            for a while after it has accepted it once. An instance keeps its token for up to an
            hour, so one instance that answers twice proves nothing new; several instances do.
        if_slow: what to check if it takes long.
    """

    title = "Proof by the app itself"

    def __init__(
        self,
        target: Target,
        expected: Callable[[], Mapping[str, str]],
        *,
        proofs: int = 1,
        if_slow: str = "",
    ) -> None:
        self._target = target
        self._expected = expected
        self._proofs = proofs
        self._if_slow = if_slow
        self._succeeded = 0

    def look(self) -> Finding:
        """Ask the app.

        Raises:
            AzureProblem: the app cannot be found.
        """
        expected = self._expected()
        proof = self._target.proof()
        if proof.problem:
            return self._not_yet(f"the app does not prove it yet: {proof.problem}", expected)
        differing = [
            f"{LABELS.get(name, name)} {proof.facts.get(name) or 'none'}, not {value}"
            for name, value in expected.items()
            if str(proof.facts.get(name) or "").lower() != value.lower()
        ]
        if differing:
            text = f"the app still signs in with {'; '.join(differing)}"
            return self._not_yet(text, expected, _warnings(proof.facts))
        self._succeeded += 1
        named = ", ".join(f"{LABELS.get(name, name)} {value}" for name, value in expected.items())
        if self._succeeded < self._proofs:
            text = f"the app has proved {self._succeeded} of {self._proofs} times: {named}"
            return Finding(text, waiting=True, az=self._az(expected))
        return Finding(f"the app has proved it: {named}", notes=_warnings(proof.facts))

    def _not_yet(
        self, text: str, expected: Mapping[str, str], notes: tuple[str, ...] = ()
    ) -> Finding:
        self._succeeded = 0
        whole = f"{text}. {self._if_slow}" if self._if_slow else text
        return Finding(whole, waiting=True, az=self._az(expected), notes=notes)

    def _az(self, expected: Mapping[str, str]) -> tuple[str, ...]:
        """A loop that ends when the answer has every expected fact."""
        app = self._target.site_id
        tests = " ".join(f"| grep -i {quoted(value)}" for value in expected.values())
        return (
            "for attempt in $(seq 30); do",
            "  FACTS=$(curl --fail --silent --show-error"
            f" {quoted(f'https://{self._target.host}/api/identity')} --header \\",
            '    "x-functions-key: $(az functionapp function keys list'
            f" --subscription {quoted(app.subscription)}"
            f" --resource-group {quoted(app.resource_group)} --name {quoted(app.name)} \\",
            '      --function-name identity --query default --output tsv)" || true)',
            f'  if echo "$FACTS" {tests} > /dev/null; then break; fi',
            '  if [ "$attempt" = 30 ]; then echo "no proof: see the log of the app"; exit 1; fi',
            '  echo "attempt $attempt: not yet"; sleep 30',
            "done",
            'echo "$FACTS"',
        )


def _warnings(facts: JsonObject) -> tuple[str, ...]:
    return tuple(f"the app warns: {each}" for each in facts.get("warnings") or ())
