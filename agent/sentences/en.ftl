# What callers can hear, what the agent gets to say, and what staff read in Salesforce, in English. The
# format is Project Fluent:
# https://projectfluent.org/fluent/guide/
#
# * For another language, copy this file: fr.ftl, pt-BR.ftl. Keep the keys and the variables, translate the
#   rest. `python -m pytest tests/shared/test_sentences.py` and the start of the service check it.
# * Write for the ear: short, no abbreviations, 300 characters at most.
# * A tool's own sentence comes before the one of its verb: `orderStatus-accepted` before `create-accepted`,
#   and `orderStatus-orderNumber-missing` before `argument-orderNumber-missing` and `argument-missing`.
# * Most of these go to the agent, which tells the caller. None mentions how the service works. Staff read
#   those of the last section.

## Words

number = { $count ->
    [0] no
    [1] one
    [2] two
    [3] three
    [4] four
    [5] five
    [6] six
    [7] seven
    [8] eight
    [9] nine
    [10] ten
   *[other] { $count }
}

# At the beginning of a sentence.
number-first = { $count ->
    [0] No
    [1] One
    [2] Two
    [3] Three
    [4] Four
    [5] Five
    [6] Six
    [7] Seven
    [8] Eight
    [9] Nine
    [10] Ten
   *[other] { $count }
}

open-cases = { $count ->
    [one] { number } open case
   *[other] { number } open cases
}

# What a caller asked for. $kind is the kind of request, $issueType a case's, "none" when it is not known.
request = { $kind ->
    [case-create] { $issueType ->
        [none] case
       *[other] { $issueType } case
    }
   *[other] { request-kind }
}

request-with-article = { $kind ->
    [case-create] { $issueType ->
        [none] a case
        [account] an account case
       *[other] a { $issueType } case
    }
   *[other] a { request-kind }
}

request-kind = { $kind ->
    [case-create] case
    [case-comment] comment
    [case-close] request to close the case
    [contact-update] change of contact details
    [callback] call-back request
    [call-log] record of the call
    [transcript-file] transcript
   *[other] request
}

# The spoken names of arguments. Without one, orderNumber is spoken as "order number".
argument-name-accountNumber = account number
argument-name-caseNumber = case number
argument-name-comment = comment
argument-name-description = description
argument-name-email = email
argument-name-priority = priority
argument-name-issueType = issue type
argument-name-mailingCity = mailing city
argument-name-mailingCountry = mailing country
argument-name-mailingPostalCode = mailing postal code
argument-name-mailingState = mailing state
argument-name-mailingStreet = mailing street
argument-name-mobilePhone = mobile phone
argument-name-name = name
argument-name-phone = phone
argument-name-pin = PIN
argument-name-reason = reason
argument-name-reference = reference
argument-name-when = time

# Fields of a contact, by their API names.
field-Phone = phone number
field-MobilePhone = mobile number
field-Email = email address
field-MailingStreet = street
field-MailingCity = city
field-MailingState = state
field-MailingPostalCode = postal code
field-MailingCountry = country
field = { $name }
field-spelled = { $field }, spelled { $letters },

letter-at = at
letter-dot = dot
letter-dash = dash
letter-underscore = underscore
letter-plus = plus

# As the subject of a sentence.
the-field-Phone = the phone
the-field-MobilePhone = the mobile phone
the-field-Email = the email
the-field-MailingStreet = the street
the-field-MailingCity = the city
the-field-MailingState = the state
the-field-MailingPostalCode = the postal code
the-field-MailingCountry = the country
the-field = the { $name }

named-by-number = number { $number }
named-by-reference = reference { $reference }

## Wrong and missing arguments

argument-missing = I still need the { $name }.
argument-wrong = I could not read the { $name }.
argument-missing-choice = I still need the { $name }: { $choices }.
argument-wrong-choice = The { $name } must be { $choices }.
argument-too-long = The { $name } is too long.
arguments-unreadable = I could not read the arguments of that request.
# Choices of the default tools, where a word differs from the file's.
choice-Low = low
choice-Medium = medium
choice-High = high
choice-billing = billing
choice-technical = technical
choice-account = account

nothing-saved = Nothing was saved.
# After a promise, while such requests wait for a person.
delayed = It will take longer than usual, because a colleague has to look at it first.

argument-description-missing = I still need a short description of the problem.
argument-comment-missing = I still need to know what the comment should say.
call-back-phone-missing = I still need the phone number to call back.
update-nothing = I still need to know what to change: phone, mobile phone, email or mailing address.

argument-onExisting-wrong = OnExisting must be ask, comment or new.
argument-email-wrong = That is not a complete email address.
argument-phone-wrong = That is not a complete phone number.
argument-mobilePhone-wrong = That is not a complete phone number.
argument-reference-wrong = A reference has two groups of three letters or digits.
argument-replaces-wrong = Replaces must be the reference of an earlier request of this call.
argument-caseNumber-wrong = A case number contains digits.

## Any tool call

not-saved = I can't be sure that this was saved. Please tell the caller that it is not confirmed.
not-saved-try-again = I could not save that. Please try once more.
not-found-out = I can't look that up right now. Please go on without it.
lookup-paused = I can't look that up for the time being, and asking again does not help. Offer that somebody calls back.
too-many-calls = That is too much at once. Nothing was done for this one. Ask for it by itself.
too-many-writes = That is as much as I can note down here. Nothing more was saved. Offer a colleague for the rest.
too-many-lookups = That is as much as I can look up in this call. Please go on without it.
no-such-tool = That is nothing I can do here.
call-has-ended = This call has ended.

already-asked = That was already asked for in this call.
already-asked-with-colleague = That was already asked for and needs a colleague, who will look at it.
just-taken-back = The caller has just taken that back, so nothing is saved.

## Who is calling

caller-known = The caller is { $who }. They have { open-cases }.
caller-known-with-many-cases = The caller is { $who }. They have at least { open-cases }.
caller-is = The caller is { $who }.

customer = { $name }
customer-with-number = { $name }, account number { $number }
customer-of-account = { $name } of { $account }
customer-of-account-with-number = { $name } of { $account }, account number { $number }

number-shared = { number-first } customers share this phone number.
number-not-on-file = This phone number is not on file.
number-not-shown = This call shows no phone number.
number-of-account = This phone number belongs to an account on file, not to one person.
number-not-attested = This call does not show that its phone number is the caller's own.

# $first is one of the five above.
caller-not-known = { $first } So I can't tell who is calling.

nobody-known-shared-number = { number-first } customers share this phone number, so I can't tell whose cases to look at.
nobody-known-new-number = This phone number is not on file, so there are no cases I can talk about.
nobody-known-no-number = This call shows no phone number, so I can't tell whose cases to look at.
nobody-known-account-line = This phone number belongs to an account on file, not to one person, so I can't tell whose cases to look at.
nobody-known-not-attested = This call does not show that its phone number is the caller's own, so I can't tell whose cases to look at.
account-number-differs = That account number is not the one of the customer who is calling.

# $sentence comes from what was known before the call.
known-minutes-ago = As of { $count ->
    [one] { number } minute
   *[other] { number } minutes
} ago, and I can't see anything newer: { $sentence }
known-hours-ago = As of { $count ->
    [one] { number } hour
   *[other] { number } hours
} ago, and I can't see anything newer: { $sentence }

## A case, and how it stands

# $status is the org's own word, or one of the three here.
case-state = is { $status ->
    [none] open
    [being-opened] being opened
    [with-colleague] with a colleague
   *[other] { $status }
}
case-with-number = Case { $number } { case-state }.
case-with-number-and-subject = Case { $number }, { $subject }, { case-state }.
case-with-reference = The case with reference { $reference } { case-state }.
case-with-reference-and-subject = The case with reference { $reference }, { $subject }, { case-state }.

no-open-case = There is no open case for this customer.
no-open-case-about = There is no open case about { $issueType } issues for this customer.
cases-listed = There { $count ->
    [one] is
   *[other] are
} { open-cases }. { $cases }
cases-listed-about = There { $count ->
    [one] is
   *[other] are
} { open-cases } about { $issueType } issues. { $cases }
newest-three = These are the newest three.

case-being-opened = The case is being opened and has no number yet. Its reference is { $reference }.
case-opened-number-unknown = The case has been opened; its number is not known yet.
case-opened-state-unknown = The case has been opened with number { $number }. I can't see its status right now.
case-has-number = The case has number { $number }.
case-not-found-by-number = I can't find a case with that number that I may discuss on this phone number.
case-not-found-by-reference = I can't find a case with that reference that I may discuss on this phone number.

request-done = The { request-kind } is done.
request-with-colleague = The { request-kind } needs a colleague, who will look at it.
request-taken-back = The { request-kind } was taken back.
request-on-its-way = The { request-kind } is on its way.

## Records of the team's own

read-not-known = I can't tell who is calling, so I can't look that up.
read-none = I found nothing like that for this customer.
# $facts is a list of read-fact, such as "status: Shipped". A tool's own sentence is better.
read-one = I found { $facts }.
read-fact = { $name } { $value }
read-many = { $count ->
    [one] There is { number } such record. { $records }
   *[other] There are { number } such records. { $records }
}

## Which case a change is for

which-case = I don't know which case. I need its case number or its reference.
reference-of-no-case = That reference does not belong to a case.
reference-not-checked = I can't check that reference right now. Nothing was saved.
reference-not-looked-up = I can't find that reference right now. Nothing was saved.
case-taken-back = That case was taken back, so nothing can be added to it.

## Changes that were accepted, or refused

create-accepted = That is being saved. The reference is { $reference }.
create-not-known = I can only do that for the customer whose phone number this is, and I can't tell who that is. Nothing was saved.
createSalesforceCase-accepted = { $issueType ->
    [none] The case
   *[other] The { $issueType } case
} is being opened. Its reference is { $reference }.
case-not-added-to = I can't add to that case on this phone number. I can open a new one.

existing-case-of-account = There is a case from the past day for this account, but I can't add to it on this phone number. Nothing was saved yet. Shall I open a new one?
# $named is named-by-number or named-by-reference.
existing-request-of-call = There is already { request-with-article } from this call, { $named }. Nothing more was saved. Shall I correct that one, add to it, or open another one?
existing-request = There is already { request-with-article } from the past day for this, { $named }. Nothing was saved yet. Shall I make another one?
existing-case = There is already a case from the past day for this. Nothing was saved yet. Shall I add to that case, or open a new one?
existing-case-named = There is already a case from the past day for this, { $named }. Nothing was saved yet. Shall I add to that case, or open a new one?

comment-accepted = The comment is being added. Its reference is { $reference }.

update-accepted = The new { $fields } will be on file in a moment. The reference is { $reference }.
update-not-known = I can only change details for the one customer whose phone number this is, and I can't tell who that is. Nothing was changed.

close-accepted = The case was opened already, so it is being closed. The reference is { $reference }.
close-taken-back = The case was taken back. It will not be opened.
close-with-colleague = A colleague has that case and will see that it is no longer wanted.
close-nothing = No case was opened in this call, so there is none to take back.

# Records of the team's own objects. A tool's own sentences are better: they name the record.
own-record-not-known = { create-not-known }
own-record-not-found = I can't find anything like that which I may change on this phone number. Nothing was saved.
own-record-which = I don't know which one is meant. I need its number or its reference. Nothing was saved.
update-record-accepted = That will be changed in a moment. The reference is { $reference }.
update-record-gone = That was taken back, so there is nothing to change.
update-record-nothing = I still need to know what to change. Nothing was saved.
close-record-accepted = That was passed on already, so it is being cancelled. The reference is { $reference }.
close-record-taken-back = That was taken back. It will not be passed on.
close-record-with-colleague = A colleague has that and will see that it is no longer wanted.

call-back-accepted = Somebody will call back. The reference is { $reference }.

## Showing who one is

verify-verified = The caller is verified now. Go on with what they asked for.
verify-known = The caller is known now. Go on with what they asked for.
verify-failed = That could not be verified.
verify-incomplete = I still need something that only the caller knows, such as their PIN.
message-changed = In a call with us, your { $field } was changed. If this was not you, please call us.
message-reference = The reference from your call with us is { $reference }.
reference-sent = The reference { $reference } was sent by text message to the number that ends in { $digits }.
reference-sent-perhaps = It is not certain that the text message was sent, and it can't be sent again. Say the reference and let the caller write it down: { $reference }.
reference-not-sent = No text message could be sent. Say the reference and let the caller write it down: { $reference }.
reference-which = I know no request of this call. Ask for the reference that the caller wants in writing.
verify-code-sent = The code went to the number on file that ends in { $digits }. Ask the caller for it, and call { $tool } with it.
verify-code-not-sent = No code could be sent. The caller can show who they are in another way, or talk to a colleague.
proof-needed = For that the caller has to show who they are. Ask for their PIN and call { $tool }. Nothing was done yet.
proof-needed-or-code = For that the caller has to show who they are. Ask for their PIN, or offer to send a code by text message, and call { $tool }. Nothing was done yet.
proof-needed-by-code = For that the caller has to show who they are. Offer to send a code by text message, and call { $tool }. Nothing was done yet.
proof-needed-from-colleague = For that the caller has to show who they are, which I can't check. Offer a colleague. Nothing was done.
caller-on-file = This phone number is on file, but it does not show who is calling.
update-for-colleague = A colleague will check the new { $fields } before it is on file. The reference is { $reference }.
update-rest-for-colleague = A colleague will check the new { $fields } first.
call-back-another-number = A colleague will check that number first, and then call back. The reference is { $reference }.
call-back-not-called = I can't have somebody call that number, because of its country or its kind. Nothing was saved. Offer to note the matter as a case, or ask for another number.

## Corrections

replaces-unknown = I know no request with the reference to be replaced in this call. Nothing was saved.
replaces-another-kind = Reference { $reference } is { request-with-article }, which this can't replace. Nothing was saved.
replaced = It replaces the { request }.
replaced-is-closed = The { request } with reference { $reference } is being closed.
replaced-stays = The { request } with reference { $reference } was passed on already, so it stays.

## Into the live call, for the agent

caller-took-back = The caller took back the { request } with reference { $reference }. It is not saved. Tell them so. If they did not mean it, call { $tool } again with all its details.
case-open-now = The case with reference { $reference } is open now. Its number is { $number }. Tell the caller when it fits.
write-not-saved = What was noted with reference { $reference } could not be saved. Tell the caller that a colleague will look at it.
fields-not-saved = Of what was noted with reference { $reference }, { $fields } could not be saved. The rest is being saved. Tell the caller that a colleague will look at it.

# $claim is one of these. Staff read them as well.
claim-unbacked = You said { $claim }, but no tool has done that in this call. Tell the caller that it is not done yet. Then call the tool for it, or offer a call-back.
claim-call-back = that somebody will call back
claim-cancelled = that something was cancelled or closed
claim-commented = that something was added to a case
claim-changed = that details were changed
claim-opened = that a case or a request was opened
claim-done = that something was saved or passed on

## Transfers

transfer-connecting = I am connecting you with { $whom }. One moment, please.
transfer-to-colleague = a colleague
transfer-to-owner = your account manager
transfer-failed = Nobody answered there. I am still with you. Would you like somebody to call you back?
transfer-nobody = Nobody can take this call now. Offer that somebody calls back.
transfer-no-phone = This conversation is not a phone call, so it can't be transferred to a phone. Offer that somebody calls back, and ask for the number.
handover-refused = I can't hand this call over.

# To the colleague who takes the call, in the default language.
transfer-caller-unknown = A caller who is not known by their number
transfer-caller-not-verified = A caller who has not shown who they are
transfer-summary = { $who } wants to talk to somebody.
transfer-summary-number = { $who } wants to talk to somebody about case { $number }, { $issueType }.
transfer-summary-reference = { $who } wants to talk to somebody about a case with reference { $reference }, { $issueType }.

## Before the agent, or without it

# Every greeting has to say both, and the doctor checks it; only the first if assistant.toml says
# `artifactPlan.recordingEnabled = false`.
disclosure-ai = You are talking with an AI assistant.
disclosure-recorded = This call is recorded.
# The greeting in a language that is not the default; assistant.toml has that one.
greeting = Hello, you have reached customer service. { disclosure-ai } { disclosure-recorded } How can I help you?
greeting-by-name = Hello { $name }, you have reached customer service. { disclosure-ai } { disclosure-recorded } How can I help you?

closed = You are calling outside our opening hours. Please call again when we are open.
closed-transfer = You are calling outside our opening hours. I am connecting you with our emergency line.
nobody-answers = Sorry, nobody can take your call right now. Please call again later.
voicemail-prompt = Sorry, nobody can take your call right now. After the tone, please leave your name and the reason for your call.
voicemail-thanks = Thank you. We will get back to you.
voicemail-too-many = We have your earlier messages and will get back to you. This one was not taken.
campaign-not-decided = This server does not decide who may be called.

## Records of Salesforce

# What staff read, in the default language: the Task of a call, comments on cases, call-backs. A label that
# ends with a colon stands before a text of any length.

record-call = { $direction ->
    [web] Web call
    [outbound] Voice call (outbound)
   *[other] Voice call (inbound)
}
record-moment = { $year }-{ $month }-{ $day } { $hour }:{ $minute } ({ $zone })
record-started = Started: { record-moment }
record-ended = Ended: { $reason }
record-ended-at = Ended at: { record-moment }
record-caller = { $direction ->
    [outbound] Callee
   *[other] Caller
}: { $phone }
# Before what each of them said, in a transcript.
record-speaker = { $speaker ->
    [agent] Agent
    [callee] Callee
   *[other] Caller
}
record-summary = Summary:
record-transcript = Transcript:
record-transcript-in-file = The transcript is in the file on this task.
record-transcript-cut = (The transcript is cut here: the call is too long to store.)
# The title of that file.
record-transcript-title = Transcript of call { $call }
record-recording = Recording: { $url }
record-recording-with-key = Recording (needs the Vapi key): { $url }
record-other-cases = { $count ->
   *[other] Other cases of this call
}: { $cases }

# $how is Vapi's word for how a transfer ended.
record-transfer = Transfer to { $to }
record-transfer-ended = { record-transfer }: { $how ->
    [no-answer] nobody answered
    [voicemail] a voicemail answered
    [busy] the line was busy
   *[other] { $how }
}
record-transfer-in-vain = The transfer reached nobody.
record-somebody = somebody

record-yes = yes
record-no = no
record-success = Success evaluation: { $result }
record-scorecard = Scorecard { $name }: { $score }
record-scorecard-of-100 = Scorecard { $name }: { $normalized } of 100
record-scorecard-both = Scorecard { $name }: { $score } ({ $normalized } of 100)
record-disclosed = Disclosed: “{ $words }” (greeting { $version })
record-disclosed-at = Disclosed: “{ $words }” (greeting { $version }, { record-moment })
record-disclosed-as-set-up = Disclosed, if the greeting was played as it is set up: “{ $words }” (greeting { $version })
record-not-disclosed = Not disclosed: “{ $words }” (greeting { $version })
record-consent-granted = Recording consent ({ $type }): granted
record-consent-not-granted = Recording consent ({ $type }): not granted
record-assistant = Assistant: { $assistants }
record-assistant-with-version = Assistant: { $assistants } ({ $version })
record-assistant-version = Assistant version: { $version }
record-cost = Cost: { $amount } USD

record-call-back-subject = Call back { $phone }
record-call-back = Call back:
record-call-back-when = When:
record-call-back-why = Why:
record-call-back-unproven = A caller who was not verified asks to be called on another number than the one of the call. Make sure whose it is first.
record-call-back-reference = Reference: { $reference }
record-call-back-transferred = The call was transferred, and nobody was reached.
record-call-back-missed = Called and reached nobody
record-call-back-unreached = The agent could not reach our systems during this call, so nothing was looked up or saved. It tried: { $tools }. The transcript is in the Task of the call.
record-call-back-claims = The agent said in this call { $claims }, and no tool has done that. The transcript is in the Task of the call.
record-call-back-broken = The caller was promised what is noted under { $references }. It could not be saved.
record-voicemail = A caller left a voicemail of { $count } s:

# At the end of each comment, in parentheses.
record-reference = reference { $reference }
record-call-summary = Call summary:
record-case-taken-back = Taken back by the caller:
record-case-replaced = Replaced by another case at the caller's request.
record-transferring = The call is being transferred to { $whom }.
record-being-transferred = { record-transferring } What was said so far:
record-alert-subject = Tell a customer that their { $field } was changed
record-alert = This detail was changed at the request of a caller. Contact the customer by the old detail, and ask whether it was them.
record-change-to-check = A caller who was not verified asks to change these details. Make sure who they are first.
record-number-of-another = A phone number among these may be another customer's, or the main line of an account. Find out whose it is before you change anything.
record-change-of = { $field }: { $value }
