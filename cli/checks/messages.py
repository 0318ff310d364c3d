"""What leaves by text message: one-time codes, and messages to customers."""

from cli.chain import Link, NotSetUp, Problem
from cli.checks.context import CheckContext
from cli.twilio import TwilioRefusedError
from shared.agent.tool_files import ReadFile, VerifyFile

MIN_DIGITS = 6
"""Three guesses of a million: a code with fewer digits is guessed too easily."""


def _codes(check_context: CheckContext) -> str:
    settings = check_context.settings
    if not settings.twilio.verify_service_sid:
        raise NotSetUp("TWILIO_VERIFY_SERVICE_SID is not set, so no code is offered")
    files = (tool.file for agent in check_context.all_agents().all for tool in agent.tools.values())
    if not any(isinstance(file, VerifyFile) and file.code for file in files):
        raise Problem(
            "TWILIO_VERIFY_SERVICE_SID is set, and no tool offers a code",
            "Add code = true to the tool of the agent folder that verifies callers.",
        )
    try:
        digits = check_context.accounts.twilio.code_length(settings.twilio.verify_service_sid)
    except TwilioRefusedError as refused:
        if refused.status == 404:
            remedy = "Set TWILIO_VERIFY_SERVICE_SID to a Verify service of this account."
        else:
            remedy = "Check TWILIO_VERIFY_BASE_URL, and check that this machine can reach it."
        raise Problem(str(refused), remedy) from None
    if digits < MIN_DIGITS:
        raise Problem(
            f"The codes of the Verify service have {digits} digits, which are guessed too easily",
            f"Set the code length to {MIN_DIGITS} or more in Twilio's console.",
        )
    return f"codes of {digits} digits"


def _messages(check_context: CheckContext) -> str:
    settings = check_context.settings.twilio
    if not settings.sms_from:
        raise NotSetUp("SMS_FROM is not set, so a person gets a task instead of a text message")
    try:
        can = check_context.accounts.twilio.sends_messages(settings.sms_from)
    except TwilioRefusedError as refused:
        raise Problem(str(refused), "Set SMS_FROM to a number of this account.") from None
    if not can:
        raise Problem(
            "The number of SMS_FROM can't send text messages",
            "Set SMS_FROM to a number of the account with the capability SMS.",
        )
    if settings.send_references:
        files = (tool.file for it in check_context.all_agents().all for tool in it.tools.values())
        if not any(isinstance(file, ReadFile) and file.send_reference for file in files):
            raise Problem(
                "SEND_REFERENCES is on, and no tool offers a reference by text message",
                "Add send_reference = true to the tool of the agent folder that tells how a case "
                "stands.",
            )
        return "SMS_FROM can send text messages; callers may have references sent"
    return "SMS_FROM can send text messages"


LINKS = (
    Link("one-time codes", "twilio", _codes),
    Link("text messages", "twilio", _messages),
)
