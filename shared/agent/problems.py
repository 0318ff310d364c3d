"""The sentence for wrong or missing arguments."""

from collections.abc import Iterable

from shared.agent.arguments import Problem

_WANTED = {
    "issueType": "the issue type: billing, technical or account",
    "description": "a short description of the problem",
    "comment": "what the comment should say",
}
_WRONG = {
    "issueType": "the issue type must be billing, technical or account",
    "priority": "the priority must be low, medium or high",
    "onExisting": "onExisting must be ask, comment or new",
    "email": "that is not a complete email address",
    "phone": "that is not a complete phone number",
    "mobilePhone": "that is not a complete phone number",
    "reference": "a reference has three and three letters or digits",
    "replaces": "replaces must be the reference of an earlier request of this call",
    "caseNumber": "a case number has digits",
}


def sentence_of(problems: Iterable[Problem]) -> str:
    wanted, wrong = [], []
    for problem in problems:
        name = problem.argument
        match problem.what:
            case "missing":
                wanted.append(_WANTED.get(name, f"the {_spoken_name(name)}"))
            case "nothing":
                wanted.append("what to change: phone, mobile phone, email or mailing address")
            case "too_long":
                wrong.append(f"the {_spoken_name(name)} is too long")
            case _:
                wrong.append(_WRONG.get(name, f"I could not read the {_spoken_name(name)}"))
    sentences = []
    if wanted:
        sentences.append("I still need " + ", and ".join(wanted) + ".")
    sentences += [f"{text[0].upper()}{text[1:]}." for text in dict.fromkeys(wrong)]
    return " ".join(sentences)


def _spoken_name(argument: str) -> str:
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in argument)
