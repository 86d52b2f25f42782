"""A prompt for another factor and its answer, where a log writes them as two records.

Okta, Auth0, GitHub and others write that a factor was asked for before anybody could answer. Such a
prompt counts as unanswered only once another one follows it, or nobody answers for ten minutes: of
a person who signs in, nothing is left; of an attacker who asks until somebody gives in, all prompts
but the last.
"""

from quivive.baseline.observation import Observation
from quivive.baseline.profile import Profile, Prompt

_SHOWN = (None, "fresh", "phishing-resistant")


def answer(login: Observation, profile: Profile) -> None:
    """Takes the newest prompt back if this login answers it, before the login itself counts; keeps
    it where it is a prompt itself.
    """
    prompt = profile.prompt
    if prompt is not None and profile.prompted(login.time) and _answers(login, prompt):
        profile.denials.take(prompt.time)
        profile.denial_rate.settle(prompt.time, -1.0)
        profile.prompt = None
    if login.prompts and (profile.prompt is None or profile.prompt.time <= login.time):
        product = login.log.partition("/")[0]
        profile.prompt = Prompt(login.time, product, login.network, login.session)


def _answers(login: Observation, prompt: Prompt) -> bool:
    """Whether this is what became of a prompt in the same product: a refusal, wherever the
    telephone is; or a success where the prompt was asked for, or in its session.
    """
    if login.log.partition("/")[0] != prompt.product:
        return False
    if login.denied:
        return login.outcome == "failure"  # it counts in the place of its prompt
    if not login.learnable or not login.interactive or login.mfa not in _SHOWN:
        return False
    if login.session is not None and login.session == prompt.session:
        return True
    return login.network == prompt.network or None in (login.network, prompt.network)
