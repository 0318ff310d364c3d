# Was Anrufer hören, was der Agent zu sagen bekommt und was das Team in Salesforce liest, auf Deutsch.
# en.ftl erklärt das Format.

## Wörter

number = { $count ->
    [0] null
    [1] eins
    [2] zwei
    [3] drei
    [4] vier
    [5] fünf
    [6] sechs
    [7] sieben
    [8] acht
    [9] neun
    [10] zehn
   *[other] { $count }
}

number-first = { $count ->
    [0] Null
    [1] Eins
    [2] Zwei
    [3] Drei
    [4] Vier
    [5] Fünf
    [6] Sechs
    [7] Sieben
    [8] Acht
    [9] Neun
    [10] Zehn
   *[other] { $count }
}

# Im Akkusativ: "es gibt ..."
open-cases = { $count ->
    [0] keinen offenen Vorgang
    [one] einen offenen Vorgang
   *[other] { number } offene Vorgänge
}

issue = { $issueType ->
    [billing] Abrechnung
    [technical] Technik
    [account] Kundenkonto
   *[other] { $issueType }
}

# Im Nominativ, mit Artikel.
request = { $kind ->
    [case-create] { $issueType ->
        [none] der Vorgang
       *[other] der Vorgang zum Thema { issue }
    }
   *[other] { request-kind }
}

request-with-article = { $kind ->
    [case-create] { $issueType ->
        [none] ein Vorgang
       *[other] ein Vorgang zum Thema { issue }
    }
    [case-comment] ein Kommentar
    [case-close] das Schließen eines Vorgangs
    [contact-update] eine Änderung der Kontaktdaten
    [callback] eine Bitte um Rückruf
    [call-log] eine Gesprächsnotiz
    [transcript-file] ein Gesprächsprotokoll
   *[other] eine Anfrage
}

request-kind = { $kind ->
    [case-create] der Vorgang
    [case-comment] der Kommentar
    [case-close] das Schließen des Vorgangs
    [contact-update] die Änderung der Kontaktdaten
    [callback] die Bitte um Rückruf
    [call-log] die Gesprächsnotiz
    [transcript-file] das Gesprächsprotokoll
   *[other] die Anfrage
}

# Am Anfang eines Satzes.
request-first = { $kind ->
    [case-create] { $issueType ->
        [none] Der Vorgang
       *[other] Der Vorgang zum Thema { issue }
    }
   *[other] { request-kind-first }
}

request-kind-first = { $kind ->
    [case-create] Der Vorgang
    [case-comment] Der Kommentar
    [case-close] Das Schließen des Vorgangs
    [contact-update] Die Änderung der Kontaktdaten
    [callback] Die Bitte um Rückruf
    [call-log] Die Gesprächsnotiz
    [transcript-file] Das Gesprächsprotokoll
   *[other] Die Anfrage
}

argument-name-accountNumber = Kundennummer
argument-name-caseNumber = Vorgangsnummer
argument-name-comment = Kommentar
argument-name-description = Beschreibung
argument-name-email = E-Mail-Adresse
argument-name-priority = Priorität
argument-name-issueType = Thema
argument-name-mailingCity = Ort
argument-name-mailingCountry = Land
argument-name-mailingPostalCode = Postleitzahl
argument-name-mailingState = Bundesland
argument-name-mailingStreet = Straße
argument-name-mobilePhone = Mobilnummer
argument-name-name = Name
argument-name-phone = Telefonnummer
argument-name-pin = PIN
argument-name-reason = Grund
argument-name-reference = Referenz
argument-name-when = Zeitpunkt

field-Phone = Telefonnummer
field-MobilePhone = Mobilnummer
field-Email = E-Mail-Adresse
field-MailingStreet = Straße
field-MailingCity = Ort
field-MailingState = Bundesland
field-MailingPostalCode = Postleitzahl
field-MailingCountry = Land
field = { $name }
field-spelled = { $field }, buchstabiert { $letters },

letter-at = at
letter-dot = Punkt
letter-dash = Bindestrich
letter-underscore = Unterstrich
letter-plus = plus

the-field-Phone = die Telefonnummer
the-field-MobilePhone = die Mobilnummer
the-field-Email = die E-Mail-Adresse
the-field-MailingStreet = die Straße
the-field-MailingCity = der Ort
the-field-MailingState = das Bundesland
the-field-MailingPostalCode = die Postleitzahl
the-field-MailingCountry = das Land
the-field = die Angabe { $name }

named-by-number = mit der Nummer { $number }
named-by-reference = mit der Referenz { $reference }

## Falsche und fehlende Angaben

argument-missing = Ich brauche noch diese Angabe: { $name }.
argument-wrong = Diese Angabe konnte ich nicht verstehen: { $name }.
argument-missing-choice = Ich brauche noch diese Angabe: { $name }. Möglich ist { $choices }.
argument-wrong-choice = Die Angabe { $name } muss { $choices } sein.
argument-too-long = Diese Angabe ist zu lang: { $name }.
arguments-unreadable = Ich konnte die Angaben dazu nicht lesen.
# Auswahl der Standardwerkzeuge, mit dem Wort der Datei in Klammern.
choice-Low = niedrig (Low)
choice-Medium = mittel (Medium)
choice-High = hoch (High)
choice-billing = Abrechnung (billing)
choice-technical = Technik (technical)
choice-account = Kundenkonto (account)

nothing-saved = Es wurde nichts gespeichert.
delayed = Es dauert länger als sonst, weil sich erst jemand darum kümmern muss.

argument-description-missing = Ich brauche noch eine kurze Beschreibung des Problems.
argument-comment-missing = Ich muss noch wissen, was im Kommentar stehen soll.
call-back-phone-missing = Ich brauche noch die Telefonnummer für den Rückruf.
update-nothing = Ich muss noch wissen, was geändert werden soll: Telefonnummer, Mobilnummer, E-Mail-Adresse oder Postanschrift.

argument-onExisting-wrong = OnExisting muss ask, comment oder new sein.
argument-email-wrong = Das ist keine vollständige E-Mail-Adresse.
argument-phone-wrong = Das ist keine vollständige Telefonnummer.
argument-mobilePhone-wrong = Das ist keine vollständige Telefonnummer.
argument-reference-wrong = Eine Referenz besteht aus zweimal drei Buchstaben oder Ziffern.
argument-replaces-wrong = Replaces muss die Referenz einer früheren Anfrage aus diesem Gespräch sein.
argument-caseNumber-wrong = Eine Vorgangsnummer enthält Ziffern.

## Jeder Aufruf

not-saved = Ich konnte das nicht sicher speichern. Bitte sagen Sie dem Anrufer, dass es nicht bestätigt ist.
not-saved-try-again = Ich konnte das nicht speichern. Bitte versuchen Sie es noch einmal.
not-found-out = Das kann ich gerade nicht nachsehen. Bitte machen Sie ohne diese Auskunft weiter.
lookup-paused = Das kann ich vorerst nicht nachsehen, und noch einmal zu fragen hilft nicht. Bieten Sie einen Rückruf an.
too-many-calls = Das ist zu viel auf einmal. Hierfür wurde nichts getan. Bitte fragen Sie einzeln danach.
too-many-writes = Mehr kann ich hier nicht aufnehmen. Es wurde nichts weiter gespeichert. Bieten Sie für den Rest jemanden aus unserem Team an.
too-many-lookups = Mehr kann ich hier nicht nachsehen. Bitte machen Sie ohne diese Auskunft weiter.
no-such-tool = Das kann ich hier nicht tun.
call-has-ended = Dieses Gespräch ist beendet.

already-asked = Darum wurde in diesem Gespräch schon gebeten.
already-asked-with-colleague = Darum wurde schon gebeten. Jemand aus unserem Team sieht es sich an.
just-taken-back = Das wurde gerade zurückgenommen. Es wird nichts gespeichert.

## Wer anruft

caller-known = Es ruft an: { $who }. Es gibt { open-cases }.
caller-known-with-many-cases = Es ruft an: { $who }. Es gibt mindestens { open-cases }.
caller-is = Es ruft an: { $who }.

customer = { $name }
customer-with-number = { $name }, Kundennummer { $number }
customer-of-account = { $name } von { $account }
customer-of-account-with-number = { $name } von { $account }, Kundennummer { $number }

number-shared = { number-first } Kunden haben diese Telefonnummer.
number-not-on-file = Diese Telefonnummer ist nicht hinterlegt.
number-not-shown = Bei diesem Anruf wird keine Telefonnummer angezeigt.
number-of-account = Diese Telefonnummer gehört zu einem hinterlegten Kundenkonto und nicht zu einer einzelnen Person.
number-not-attested = Dieser Anruf zeigt nicht, dass seine Telefonnummer der anrufenden Person gehört.

caller-not-known = { $first } Deshalb kann ich nicht sagen, wer anruft.

nobody-known-shared-number = { number-first } Kunden haben diese Telefonnummer. Deshalb kann ich nicht sagen, um wessen Vorgänge es geht.
nobody-known-new-number = Diese Telefonnummer ist nicht hinterlegt. Deshalb kann ich zu keinem Vorgang etwas sagen.
nobody-known-no-number = Bei diesem Anruf wird keine Telefonnummer angezeigt. Deshalb kann ich nicht sagen, um wessen Vorgänge es geht.
nobody-known-account-line = Diese Telefonnummer gehört zu einem hinterlegten Kundenkonto und nicht zu einer einzelnen Person. Deshalb kann ich nicht sagen, um wessen Vorgänge es geht.
nobody-known-not-attested = Dieser Anruf zeigt nicht, dass seine Telefonnummer der anrufenden Person gehört. Deshalb kann ich nicht sagen, um wessen Vorgänge es geht.
account-number-differs = Diese Kundennummer gehört nicht zu der Person, die anruft.

known-minutes-ago = Das ist der Stand von vor { $count ->
    [one] einer Minute
   *[other] { number } Minuten
}, etwas Neueres sehe ich nicht: { $sentence }
known-hours-ago = Das ist der Stand von vor { $count ->
    [one] einer Stunde
   *[other] { number } Stunden
}, etwas Neueres sehe ich nicht: { $sentence }

## Ein Vorgang und sein Stand

case-state = { $status ->
    [none] ist offen
    [being-opened] wird gerade angelegt
    [with-colleague] liegt bei jemandem aus unserem Team
    [New] ist neu
    [Working] ist in Bearbeitung
    [Escalated] ist eskaliert
    [Closed] ist abgeschlossen
   *[other] hat den Status { $status }
}
case-with-number = Vorgang { $number } { case-state }.
case-with-number-and-subject = Vorgang { $number }, { $subject }, { case-state }.
case-with-reference = Der Vorgang mit der Referenz { $reference } { case-state }.
case-with-reference-and-subject = Der Vorgang mit der Referenz { $reference }, { $subject }, { case-state }.

no-open-case = Für diese Kundin oder diesen Kunden gibt es keinen offenen Vorgang.
no-open-case-about = Zum Thema { issue } gibt es keinen offenen Vorgang.
cases-listed = Es gibt { open-cases }. { $cases }
cases-listed-about = Zum Thema { issue } gibt es { open-cases }. { $cases }
newest-three = Das sind die drei neuesten.

case-being-opened = Der Vorgang wird gerade angelegt und hat noch keine Nummer. Die Referenz ist { $reference }.
case-opened-number-unknown = Der Vorgang ist angelegt. Seine Nummer ist noch nicht bekannt.
case-opened-state-unknown = Der Vorgang ist unter der Nummer { $number } angelegt. Seinen Stand kann ich gerade nicht sehen.
case-has-number = Der Vorgang hat die Nummer { $number }.
case-not-found-by-number = Ich finde zu dieser Nummer keinen Vorgang, über den ich unter dieser Telefonnummer Auskunft geben darf.
case-not-found-by-reference = Ich finde zu dieser Referenz keinen Vorgang, über den ich unter dieser Telefonnummer Auskunft geben darf.

request-done = { request-kind-first } ist erledigt.
request-with-colleague = { request-kind-first } ist noch nicht erledigt. Jemand aus unserem Team kümmert sich darum.
request-taken-back = { request-kind-first } wurde zurückgenommen.
request-on-its-way = { request-kind-first } ist in Arbeit.

## Eigene Datensätze des Teams

read-not-known = Ich kann nicht erkennen, wer anruft, und darf deshalb nicht nachsehen.
read-none = Dazu habe ich für diesen Kunden nichts gefunden.
# $facts ist eine Aufzählung von read-fact. Ein eigener Satz des Werkzeugs ist besser.
read-one = Ich habe das gefunden: { $facts }.
read-fact = { $name } { $value }
read-many = { $count ->
    [one] Es gibt einen solchen Eintrag. { $records }
   *[other] Es gibt { number } solche Einträge. { $records }
}

## Für welchen Vorgang eine Änderung gilt

which-case = Ich weiß nicht, um welchen Vorgang es geht. Ich brauche seine Nummer oder seine Referenz.
reference-of-no-case = Diese Referenz gehört zu keinem Vorgang.
reference-not-checked = Ich kann diese Referenz gerade nicht prüfen. Es wurde nichts gespeichert.
reference-not-looked-up = Ich kann diese Referenz gerade nicht finden. Es wurde nichts gespeichert.
case-taken-back = Dieser Vorgang wurde zurückgenommen. Es lässt sich nichts mehr hinzufügen.

## Änderungen, die angenommen oder abgelehnt wurden

create-accepted = Das wird gerade gespeichert. Die Referenz ist { $reference }.
create-not-known = Das kann ich nur für den einen Kunden tun, dem diese Telefonnummer gehört, und ich kann nicht erkennen, wer das ist. Es wurde nichts gespeichert.
createSalesforceCase-accepted = { $issueType ->
    [none] Der Vorgang
   *[other] Der Vorgang zum Thema { issue }
} wird angelegt. Die Referenz ist { $reference }.
case-not-added-to = Zu diesem Vorgang kann ich unter dieser Telefonnummer nichts hinzufügen. Ich kann einen neuen anlegen.

existing-case-of-account = Zu diesem Kundenkonto gibt es einen Vorgang von heute oder gestern, aber unter dieser Telefonnummer kann ich nichts hinzufügen. Es wurde noch nichts gespeichert. Soll ich einen neuen anlegen?
existing-request-of-call = In diesem Gespräch wurde schon { request-with-article } aufgenommen, { $named }. Es wurde nichts weiter gespeichert. Soll ich das ändern, etwas hinzufügen oder etwas Neues anlegen?
existing-request = Dazu liegt von heute oder gestern schon { request-with-article } vor, { $named }. Es wurde noch nichts gespeichert. Soll ich etwas Neues anlegen?
existing-case = Dazu gibt es schon einen Vorgang von heute oder gestern. Es wurde noch nichts gespeichert. Soll ich dort etwas hinzufügen oder einen neuen anlegen?
existing-case-named = Dazu gibt es schon einen Vorgang von heute oder gestern, { $named }. Es wurde noch nichts gespeichert. Soll ich dort etwas hinzufügen oder einen neuen anlegen?

comment-accepted = Der Kommentar wird hinzugefügt. Die Referenz ist { $reference }.

update-accepted = Folgendes wird gleich neu hinterlegt: { $fields }. Die Referenz ist { $reference }.
update-not-known = Ich kann nur die Daten der einen Person ändern, der diese Telefonnummer gehört, und ich kann nicht sagen, wer das ist. Es wurde nichts geändert.

close-accepted = Der Vorgang war schon angelegt und wird deshalb geschlossen. Die Referenz ist { $reference }.
close-taken-back = Der Vorgang ist zurückgenommen. Er wird nicht angelegt.
close-with-colleague = Jemand aus unserem Team hat diesen Vorgang und sieht, dass er nicht mehr gewünscht ist.
close-nothing = In diesem Gespräch wurde kein Vorgang angelegt. Es gibt also nichts zurückzunehmen.

# Datensätze eigener Objekte. Eigene Sätze eines Werkzeugs sind besser: Sie nennen den Datensatz.
own-record-not-known = { create-not-known }
own-record-not-found = Ich finde dazu nichts, das ich unter dieser Telefonnummer ändern darf. Es wurde nichts gespeichert.
own-record-which = Ich weiß nicht, was davon gemeint ist. Ich brauche die Nummer oder die Referenz. Es wurde nichts gespeichert.
update-record-accepted = Das wird gleich geändert. Die Referenz ist { $reference }.
update-record-gone = Das wurde zurückgenommen. Es gibt also nichts zu ändern.
update-record-nothing = Ich weiß noch nicht, was geändert werden soll. Es wurde nichts gespeichert.
close-record-accepted = Das war schon weitergegeben und wird deshalb storniert. Die Referenz ist { $reference }.
close-record-taken-back = Das ist zurückgenommen. Es wird nicht weitergegeben.
close-record-with-colleague = Jemand aus unserem Team hat das und sieht, dass es nicht mehr gewünscht ist.

call-back-accepted = Wir rufen Sie zurück. Die Referenz ist { $reference }.

## Sich ausweisen

verify-verified = Die Identität ist jetzt bestätigt. Fahren Sie mit dem Anliegen fort.
verify-known = Die Person ist jetzt bekannt. Fahren Sie mit dem Anliegen fort.
verify-failed = Das konnte nicht bestätigt werden.
verify-incomplete = Mir fehlt noch, was nur die anrufende Person weiß, zum Beispiel die PIN.
message-changed = In einem Gespräch mit uns wurde diese Angabe geändert: { $field }. Waren Sie das nicht, rufen Sie uns bitte an.
message-reference = Die Referenz zu Ihrem Anruf bei uns lautet { $reference }.
reference-sent = Die Referenz { $reference } wurde per SMS an die Nummer gesendet, die auf { $digits } endet.
reference-sent-perhaps = Es ist nicht sicher, dass die SMS gesendet wurde, und sie kann nicht noch einmal gesendet werden. Sagen Sie die Referenz und lassen Sie sie aufschreiben: { $reference }.
reference-not-sent = Es konnte keine SMS gesendet werden. Sagen Sie die Referenz und lassen Sie sie aufschreiben: { $reference }.
reference-which = Ich kenne kein Anliegen aus diesem Anruf. Fragen Sie nach der Referenz, die schriftlich gewünscht ist.
verify-code-sent = Der Code ging an die hinterlegte Nummer mit den Endziffern { $digits }. Frag danach und ruf damit { $tool } auf.
verify-code-not-sent = Es konnte kein Code gesendet werden. Die anrufende Person kann sich anders ausweisen oder mit dem Team sprechen.
proof-needed = Dafür muss sich die anrufende Person ausweisen. Fragen Sie nach der PIN und rufen Sie { $tool } auf. Es ist noch nichts geschehen.
proof-needed-or-code = Dafür muss sich die anrufende Person ausweisen. Fragen Sie nach der PIN oder bieten Sie einen Code per SMS an und rufen Sie { $tool } auf. Es ist noch nichts geschehen.
proof-needed-by-code = Dafür muss sich die anrufende Person ausweisen. Bieten Sie einen Code per SMS an und rufen Sie { $tool } auf. Es ist noch nichts geschehen.
proof-needed-from-colleague = Dafür muss sich die anrufende Person ausweisen, und das kann ich nicht prüfen. Bieten Sie ein Gespräch mit dem Team an. Es ist nichts geschehen.
caller-on-file = Diese Telefonnummer ist hinterlegt, aber sie zeigt nicht, wer anruft.
update-for-colleague = Jemand aus dem Team prüft zuerst: { $fields }. Danach wird es hinterlegt. Die Referenz ist { $reference }.
update-rest-for-colleague = Jemand aus dem Team prüft zuerst: { $fields }.
call-back-another-number = Jemand aus dem Team prüft zuerst diese Nummer und ruft dann zurück. Die Referenz ist { $reference }.
call-back-not-called = Diese Nummer rufen wir nicht an, wegen ihres Landes oder ihrer Art. Es wurde nichts gespeichert. Bieten Sie an, das Anliegen als Vorgang aufzunehmen, oder fragen Sie nach einer anderen Nummer.

## Korrekturen

replaces-unknown = Eine Anfrage mit der Referenz, die ersetzt werden soll, kenne ich in diesem Gespräch nicht. Es wurde nichts gespeichert.
replaces-another-kind = Unter der Referenz { $reference } steht { request-with-article }. Das lässt sich hiermit nicht ersetzen. Es wurde nichts gespeichert.
replaced = Damit wird { request } ersetzt.
replaced-is-closed = Dafür wird { request } mit der Referenz { $reference } geschlossen.
replaced-stays = { request-first } mit der Referenz { $reference } wurde schon weitergegeben und bleibt deshalb bestehen.

## Ins laufende Gespräch, für den Agenten

caller-took-back = { request-first } mit der Referenz { $reference } wurde zurückgenommen. Es wird nichts gespeichert. Sagen Sie das. Wenn es nicht so gemeint war, rufen Sie { $tool } mit allen Angaben noch einmal auf.
case-open-now = Der Vorgang mit der Referenz { $reference } ist jetzt angelegt. Seine Nummer ist { $number }. Sagen Sie das, wenn es passt.
write-not-saved = Was unter der Referenz { $reference } notiert ist, ließ sich nicht speichern. Sagen Sie, dass sich jemand aus unserem Team darum kümmert.
fields-not-saved = Unter der Referenz { $reference } ließ sich nicht speichern: { $fields }. Der Rest wird gespeichert. Sagen Sie, dass sich jemand aus unserem Team darum kümmert.

# $claim ist einer hiervon. Das Team liest sie auch.
claim-unbacked = Sie haben gesagt, { $claim }. In diesem Gespräch hat das aber kein Werkzeug getan. Sagen Sie, dass es noch nicht geschehen ist. Rufen Sie dann das Werkzeug dafür auf, oder bieten Sie einen Rückruf an.
claim-call-back = dass jemand zurückruft
claim-cancelled = dass etwas storniert oder geschlossen wurde
claim-commented = dass zu einem Vorgang etwas ergänzt wurde
claim-changed = dass Angaben geändert wurden
claim-opened = dass ein Vorgang oder eine Anfrage angelegt wurde
claim-done = dass etwas gespeichert oder weitergegeben wurde

## Weiterleitungen

transfer-connecting = Ich verbinde Sie mit { $whom }. Einen Moment, bitte.
transfer-to-colleague = jemandem aus unserem Team
transfer-to-owner = Ihrer persönlichen Ansprechperson
transfer-failed = Dort ist niemand ans Telefon gegangen. Ich bin weiter für Sie da. Soll Sie jemand zurückrufen?
transfer-nobody = Im Moment kann niemand dieses Gespräch übernehmen. Bieten Sie einen Rückruf an.
transfer-no-phone = Dieses Gespräch läuft nicht über das Telefon und lässt sich deshalb nicht weiterleiten. Bieten Sie einen Rückruf an und fragen Sie nach der Nummer.
handover-refused = Ich kann dieses Gespräch nicht übergeben.

transfer-caller-unknown = Eine Person mit unbekannter Telefonnummer
transfer-caller-not-verified = Eine Person, deren Identität nicht geklärt ist,
transfer-summary = { $who } möchte mit jemandem sprechen.
transfer-summary-number = { $who } möchte mit jemandem über Vorgang { $number } sprechen, Thema { issue }.
transfer-summary-reference = { $who } möchte mit jemandem über einen Vorgang mit der Referenz { $reference } sprechen, Thema { issue }.

## Vor dem Agenten oder ohne ihn

disclosure-ai = Sie sprechen mit einem KI-Assistenten.
disclosure-recorded = Dieses Gespräch wird aufgezeichnet.
greeting = Guten Tag, hier ist der Kundenservice. { disclosure-ai } { disclosure-recorded } Was kann ich für Sie tun?
greeting-by-name = Guten Tag { $name }, hier ist der Kundenservice. { disclosure-ai } { disclosure-recorded } Was kann ich für Sie tun?

closed = Sie rufen außerhalb unserer Öffnungszeiten an. Bitte rufen Sie wieder an, wenn wir geöffnet haben.
closed-transfer = Sie rufen außerhalb unserer Öffnungszeiten an. Ich verbinde Sie mit unserem Notdienst.
nobody-answers = Leider kann Ihren Anruf gerade niemand annehmen. Bitte rufen Sie später noch einmal an.
voicemail-prompt = Leider kann Ihren Anruf gerade niemand annehmen. Bitte nennen Sie nach dem Ton Ihren Namen und Ihr Anliegen.
voicemail-thanks = Vielen Dank. Wir melden uns bei Ihnen.
voicemail-too-many = Ihre früheren Nachrichten liegen uns vor, und wir melden uns bei Ihnen. Diese wurde nicht aufgenommen.
campaign-not-decided = Dieser Server entscheidet nicht, wer angerufen werden darf.

## Datensätze in Salesforce

# Was das Team liest, in der Standardsprache: die Aufgabe zu einem Gespräch, Kommentare, Rückrufe.

record-call = { $direction ->
    [web] Webgespräch
    [outbound] Telefongespräch (ausgehend)
   *[other] Telefongespräch (eingehend)
}
record-moment = { $day }.{ $month }.{ $year }, { $hour }:{ $minute } Uhr ({ $zone })
record-started = Beginn: { record-moment }
record-ended = Ende: { $reason }
record-ended-at = Ende am: { record-moment }
record-caller = { $direction ->
    [outbound] Anruf an
   *[other] Anruf von
}: { $phone }
record-speaker = { $speaker ->
    [agent] Assistent
    [callee] Angerufener
   *[other] Anrufer
}
record-summary = Zusammenfassung:
record-transcript = Gesprächsprotokoll:
record-transcript-in-file = Das Gesprächsprotokoll ist in der Datei an dieser Aufgabe.
record-transcript-cut = (Das Gesprächsprotokoll endet hier: Für den Rest war das Gespräch zu lang.)
record-transcript-title = Gesprächsprotokoll zum Anruf { $call }
record-recording = Aufnahme: { $url }
record-recording-with-key = Aufnahme (nur mit dem Schlüssel von Vapi): { $url }
record-other-cases = { $count ->
    [one] Ein weiterer Vorgang aus diesem Gespräch
   *[other] Weitere Vorgänge aus diesem Gespräch
}: { $cases }

record-transfer = Weiterleitung an { $to }
record-transfer-ended = { record-transfer }: { $how ->
    [no-answer] nicht angenommen
    [voicemail] Anrufbeantworter
    [busy] besetzt
    [connected] verbunden
    [failed] fehlgeschlagen
   *[other] { $how }
}
record-transfer-in-vain = Die Weiterleitung hat niemanden erreicht.
record-somebody = jemanden

record-yes = ja
record-no = nein
record-success = Bewertung des Erfolgs: { $result }
record-scorecard = Bewertung { $name }: { $score }
record-scorecard-of-100 = Bewertung { $name }: { $normalized } von 100
record-scorecard-both = Bewertung { $name }: { $score } ({ $normalized } von 100)
record-disclosed = Mitgeteilt: „{ $words }“ (Begrüßung { $version })
record-disclosed-at = Mitgeteilt: „{ $words }“ (Begrüßung { $version }, { record-moment })
record-disclosed-as-set-up = Mitgeteilt, sofern die Begrüßung so gesprochen wurde, wie sie eingerichtet ist: „{ $words }“ (Begrüßung { $version })
record-not-disclosed = Nicht mitgeteilt: „{ $words }“ (Begrüßung { $version })
record-consent-granted = Einwilligung zur Aufnahme ({ $type }): erteilt
record-consent-not-granted = Einwilligung zur Aufnahme ({ $type }): nicht erteilt
record-assistant = Sprachassistent: { $assistants }
record-assistant-with-version = Sprachassistent: { $assistants } ({ $version })
record-assistant-version = Version des Sprachassistenten: { $version }
record-cost = Kosten: { $amount } USD

record-call-back-subject = { $phone } zurückrufen
record-call-back = Rückruf an:
record-call-back-when = Wann:
record-call-back-why = Warum:
record-call-back-unproven = Jemand, dessen Identität nicht bestätigt ist, möchte unter einer anderen Nummer als der des Anrufs zurückgerufen werden. Bitte zuerst prüfen, wem sie gehört.
record-call-back-reference = Referenz: { $reference }
record-call-back-transferred = Das Gespräch wurde weitergeleitet, aber niemand wurde erreicht.
record-call-back-missed = Hat angerufen und niemanden erreicht
record-call-back-unreached = Der Agent konnte unsere Systeme in diesem Gespräch nicht erreichen. Es wurde nichts nachgesehen und nichts gespeichert. Er versuchte: { $tools }. Das Transkript steht in der Aufgabe zum Gespräch.
record-call-back-claims = Der Agent sagte in diesem Gespräch, { $claims }. Das hat kein Werkzeug getan. Das Transkript steht in der Aufgabe zum Gespräch.
record-call-back-broken = Was unter { $references } aufgenommen wurde, ist der anrufenden Person zugesagt. Es konnte nicht gespeichert werden.
record-voicemail = Auf dem Anrufbeantworter ist eine Nachricht von { $count ->
    [one] einer Sekunde
   *[other] { number } Sekunden
}:

record-reference = Referenz { $reference }
record-call-summary = Zusammenfassung des Gesprächs:
record-case-taken-back = Vom Anrufer zurückgenommen:
record-case-replaced = Auf Wunsch des Anrufers durch einen anderen Vorgang ersetzt.
record-transferring = Das Gespräch wird mit { $whom } verbunden.
record-being-transferred = { record-transferring } Bisher wurde gesagt:
record-alert-subject = Kundin oder Kunden über die Änderung informieren: { $field }
record-alert = Diese Angabe wurde auf Wunsch einer anrufenden Person geändert. Bitte unter der alten Angabe nachfragen, ob das so gewollt war.
record-change-to-check = Jemand, dessen Identität nicht bestätigt ist, bittet um diese Änderungen. Bitte zuerst prüfen, wer es ist.
record-number-of-another = Eine Telefonnummer darunter gehört vielleicht jemand anderem oder ist die Sammelnummer einer Firma. Bitte vor der Änderung klären, wem sie gehört.
record-change-of = { $field }: { $value }
