# Lo que oye quien llama, lo que recibe el agente para decir y lo que lee el equipo en Salesforce, en
# español. en.ftl explica el formato.

## Palabras

number = { $count ->
    [0] ningún
    [1] un
    [2] dos
    [3] tres
    [4] cuatro
    [5] cinco
    [6] seis
    [7] siete
    [8] ocho
    [9] nueve
    [10] diez
   *[other] { $count }
}

number-first = { $count ->
    [0] Ningún
    [1] Un
    [2] Dos
    [3] Tres
    [4] Cuatro
    [5] Cinco
    [6] Seis
    [7] Siete
    [8] Ocho
    [9] Nueve
    [10] Diez
   *[other] { $count }
}

open-cases = { $count ->
    [0] ningún caso abierto
    [one] un caso abierto
   *[other] { number } casos abiertos
}

issue = { $issueType ->
    [billing] facturación
    [technical] asistencia técnica
    [account] la cuenta
   *[other] { $issueType }
}

# Con artículo.
request = { $kind ->
    [case-create] { $issueType ->
        [none] el caso
       *[other] el caso sobre { issue }
    }
   *[other] { request-kind }
}

request-with-article = { $kind ->
    [case-create] { $issueType ->
        [none] un caso
       *[other] un caso sobre { issue }
    }
    [case-comment] un comentario
    [case-close] el cierre de un caso
    [contact-update] un cambio de datos de contacto
    [callback] una solicitud de llamada
    [call-log] un registro de la llamada
    [transcript-file] una transcripción
   *[other] una solicitud
}

request-kind = { $kind ->
    [case-create] el caso
    [case-comment] el comentario
    [case-close] el cierre del caso
    [contact-update] el cambio de datos de contacto
    [callback] la solicitud de llamada
    [call-log] el registro de la llamada
    [transcript-file] la transcripción
   *[other] la solicitud
}

argument-name-accountNumber = número de cliente
argument-name-caseNumber = número de caso
argument-name-comment = comentario
argument-name-description = descripción
argument-name-email = correo electrónico
argument-name-priority = prioridad
argument-name-issueType = tema
argument-name-mailingCity = ciudad
argument-name-mailingCountry = país
argument-name-mailingPostalCode = código postal
argument-name-mailingState = provincia
argument-name-mailingStreet = calle
argument-name-mobilePhone = teléfono móvil
argument-name-name = nombre
argument-name-phone = teléfono
argument-name-pin = PIN
argument-name-reason = motivo
argument-name-reference = referencia
argument-name-when = momento

field-Phone = teléfono
field-MobilePhone = teléfono móvil
field-Email = correo electrónico
field-MailingStreet = calle
field-MailingCity = ciudad
field-MailingState = provincia
field-MailingPostalCode = código postal
field-MailingCountry = país
field = { $name }
field-spelled = { $field }, deletreado { $letters },

letter-at = arroba
letter-dot = punto
letter-dash = guion
letter-underscore = guion bajo
letter-plus = más

the-field-Phone = el teléfono
the-field-MobilePhone = el teléfono móvil
the-field-Email = el correo electrónico
the-field-MailingStreet = la calle
the-field-MailingCity = la ciudad
the-field-MailingState = la provincia
the-field-MailingPostalCode = el código postal
the-field-MailingCountry = el país
the-field = el dato { $name }

named-by-number = con el número { $number }
named-by-reference = con la referencia { $reference }

## Datos que faltan o no valen

argument-missing = Todavía necesito este dato: { $name }.
argument-wrong = No he podido entender este dato: { $name }.
argument-missing-choice = Todavía necesito este dato: { $name }. Puede ser { $choices }.
argument-wrong-choice = El dato { $name } debe ser { $choices }.
argument-too-long = Este dato es demasiado largo: { $name }.
arguments-unreadable = No he podido leer los datos de esa solicitud.
# Opciones de las herramientas incluidas, con la palabra del archivo entre paréntesis.
choice-Low = baja (Low)
choice-Medium = media (Medium)
choice-High = alta (High)
choice-billing = facturación (billing)
choice-technical = asistencia técnica (technical)
choice-account = cuenta (account)

nothing-saved = No se ha guardado nada.
delayed = Tardará más de lo normal, porque antes tiene que verlo un compañero.

argument-description-missing = Todavía necesito una breve descripción del problema.
argument-comment-missing = Todavía necesito saber qué debe decir el comentario.
call-back-phone-missing = Todavía necesito el número de teléfono al que llamar.
update-nothing = Todavía necesito saber qué hay que cambiar: teléfono, teléfono móvil, correo electrónico o dirección postal.

argument-onExisting-wrong = OnExisting debe ser ask, comment o new.
argument-email-wrong = Esa dirección de correo electrónico no está completa.
argument-phone-wrong = Ese número de teléfono no está completo.
argument-mobilePhone-wrong = Ese número de teléfono no está completo.
argument-reference-wrong = Una referencia tiene dos grupos de tres letras o cifras.
argument-replaces-wrong = Replaces debe ser la referencia de una solicitud anterior de esta llamada.
argument-caseNumber-wrong = Un número de caso contiene cifras.

## Cualquier solicitud

not-saved = No he podido guardarlo con seguridad. Diga a quien llama que no está confirmado.
not-saved-try-again = No he podido guardarlo. Inténtelo otra vez, por favor.
not-found-out = No puedo consultarlo en este momento. Continúe sin ese dato, por favor.
lookup-paused = Por ahora no puedo consultarlo, y no sirve de nada volver a preguntar. Ofrezca que alguien devuelva la llamada.
too-many-calls = Es demasiado a la vez. Para esto no se ha hecho nada. Pídalo por separado.
too-many-writes = No puedo anotar nada más aquí. No se ha guardado nada más. Para el resto, ofrezca hablar con una persona de nuestro equipo.
too-many-lookups = No puedo consultar nada más aquí. Continúe sin ese dato, por favor.
no-such-tool = Eso no puedo hacerlo aquí.
call-has-ended = Esta llamada ha terminado.

already-asked = Eso ya se ha pedido en esta llamada.
already-asked-with-colleague = Eso ya se ha pedido. Una persona de nuestro equipo lo revisará.
just-taken-back = Quien llama acaba de retirarlo, así que no se guarda nada.

## Quién llama

caller-known = Llama { $who }. Tiene { open-cases }.
caller-known-with-many-cases = Llama { $who }. Tiene al menos { open-cases }.
caller-is = Llama { $who }.

customer = { $name }
customer-with-number = { $name }, número de cliente { $number }
customer-of-account = { $name }, de { $account }
customer-of-account-with-number = { $name }, de { $account }, número de cliente { $number }

number-shared = { number-first } clientes comparten este número de teléfono.
number-not-on-file = Este número de teléfono no está registrado.
number-not-shown = Esta llamada no muestra ningún número de teléfono.
number-of-account = Este número de teléfono pertenece a una cuenta registrada y no a una sola persona.
number-not-attested = Esta llamada no muestra que su número de teléfono sea de quien llama.

caller-not-known = { $first } Por eso no puedo saber quién llama.

nobody-known-shared-number = { number-first } clientes comparten este número de teléfono, así que no puedo saber de quién son los casos.
nobody-known-new-number = Este número de teléfono no está registrado, así que no puedo informar de ningún caso.
nobody-known-no-number = Esta llamada no muestra ningún número de teléfono, así que no puedo saber de quién son los casos.
nobody-known-account-line = Este número de teléfono pertenece a una cuenta registrada y no a una sola persona, así que no puedo saber de quién son los casos.
nobody-known-not-attested = Esta llamada no muestra que su número de teléfono sea de quien llama, así que no puedo saber de quién son los casos.
account-number-differs = Ese número de cliente no es el de la persona que llama.

known-minutes-ago = Según los últimos datos, de hace { $count ->
    [one] un minuto
   *[other] { number } minutos
}, y sin nada más reciente: { $sentence }
known-hours-ago = Según los últimos datos, de hace { $count ->
    [one] una hora
   *[other] { number } horas
}, y sin nada más reciente: { $sentence }

## Un caso y su estado

case-state = { $status ->
    [none] está abierto
    [being-opened] se está abriendo
    [with-colleague] está en manos de nuestro equipo
    [New] es nuevo
    [Working] está en curso
    [Escalated] está escalado
    [Closed] está cerrado
   *[other] tiene el estado { $status }
}
case-with-number = El caso { $number } { case-state }.
case-with-number-and-subject = El caso { $number }, { $subject }, { case-state }.
case-with-reference = El caso con la referencia { $reference } { case-state }.
case-with-reference-and-subject = El caso con la referencia { $reference }, { $subject }, { case-state }.

no-open-case = No hay ningún caso abierto de este cliente.
no-open-case-about = No hay ningún caso abierto de este cliente sobre { issue }.
cases-listed = Hay { open-cases }. { $cases }
cases-listed-about = Hay { open-cases } sobre { issue }. { $cases }
newest-three = Estos son los tres más recientes.

case-being-opened = El caso se está abriendo y aún no tiene número. Su referencia es { $reference }.
case-opened-number-unknown = El caso ya está abierto, pero aún no se conoce su número.
case-opened-state-unknown = El caso está abierto con el número { $number }. En este momento no puedo ver su estado.
case-has-number = El caso tiene el número { $number }.
case-not-found-by-number = No encuentro ningún caso con ese número del que pueda hablar con este número de teléfono.
case-not-found-by-reference = No encuentro ningún caso con esa referencia del que pueda hablar con este número de teléfono.

request-done = Ya se ha completado { request-kind }.
request-with-colleague = Aún no se ha completado { request-kind }. Una persona de nuestro equipo lo revisará.
request-taken-back = Se ha retirado { request-kind }.
request-on-its-way = Se está tramitando { request-kind }.

## Registros propios del equipo

read-not-known = No puedo saber quién llama, así que no puedo consultarlo.
read-none = No he encontrado nada así para este cliente.
# $facts es una lista de read-fact. Es mejor una frase propia de la herramienta.
read-one = He encontrado { $facts }.
read-fact = { $name } { $value }
read-many = { $count ->
    [one] Hay un registro así. { $records }
   *[other] Hay { number } registros así. { $records }
}

## Para qué caso es un cambio

which-case = No sé de qué caso se trata. Necesito su número o su referencia.
reference-of-no-case = Esa referencia no es de un caso.
reference-not-checked = No puedo comprobar esa referencia en este momento. No se ha guardado nada.
reference-not-looked-up = No puedo encontrar esa referencia en este momento. No se ha guardado nada.
case-taken-back = Ese caso se ha retirado, así que no se le puede añadir nada.

## Cambios aceptados o rechazados

create-accepted = Se está guardando. La referencia es { $reference }.
create-not-known = Solo puedo hacerlo para el cliente a quien pertenece este número de teléfono, y no puedo saber quién es. No se ha guardado nada.
createSalesforceCase-accepted = { $issueType ->
    [none] Se está abriendo el caso
   *[other] Se está abriendo el caso sobre { issue }
}. Su referencia es { $reference }.
case-not-added-to = No puedo añadir nada a ese caso con este número de teléfono. Puedo abrir uno nuevo.

existing-case-of-account = Hay un caso de hoy o de ayer de esta cuenta, pero no puedo añadirle nada con este número de teléfono. Aún no se ha guardado nada. ¿Abro uno nuevo?
existing-request-of-call = En esta llamada ya hay { request-with-article }, { $named }. No se ha guardado nada más. ¿Lo corrijo, le añado algo o abro otro?
existing-request = Ya hay { request-with-article } de hoy o de ayer sobre esto, { $named }. Aún no se ha guardado nada. ¿Hago otra solicitud?
existing-case = Ya hay un caso de hoy o de ayer sobre esto. Aún no se ha guardado nada. ¿Añado algo a ese caso o abro uno nuevo?
existing-case-named = Ya hay un caso de hoy o de ayer sobre esto, { $named }. Aún no se ha guardado nada. ¿Añado algo a ese caso o abro uno nuevo?

comment-accepted = Se está añadiendo el comentario. Su referencia es { $reference }.

update-accepted = Enseguida quedará actualizado lo siguiente: { $fields }. La referencia es { $reference }.
update-not-known = Solo puedo cambiar los datos del único cliente que tiene este número de teléfono, y no puedo saber quién es. No se ha cambiado nada.

close-accepted = El caso ya estaba abierto, así que se está cerrando. La referencia es { $reference }.
close-taken-back = El caso se ha retirado. No se abrirá.
close-with-colleague = Una persona de nuestro equipo lleva ese caso y verá que ya no se desea.
close-nothing = En esta llamada no se ha abierto ningún caso, así que no hay nada que retirar.

# Registros de objetos propios. Son mejores las frases propias de una herramienta: nombran el registro.
own-record-not-known = { create-not-known }
own-record-not-found = No encuentro nada así que pueda cambiar con este número de teléfono. No se ha guardado nada.
own-record-which = No sé a cuál se refiere. Necesito su número o su referencia. No se ha guardado nada.
update-record-accepted = Se cambiará en un momento. La referencia es { $reference }.
update-record-gone = Eso se ha retirado, así que no hay nada que cambiar.
update-record-nothing = Todavía necesito saber qué hay que cambiar. No se ha guardado nada.
close-record-accepted = Eso ya se había transmitido, así que se está cancelando. La referencia es { $reference }.
close-record-taken-back = Eso se ha retirado. No se transmitirá.
close-record-with-colleague = Una persona de nuestro equipo se encarga de eso y verá que ya no se desea.

call-back-accepted = Le devolveremos la llamada. La referencia es { $reference }.

## Demostrar quién es

verify-verified = La persona está verificada. Continúe con lo que ha pedido.
verify-known = Ya se sabe quién llama. Continúe con lo que ha pedido.
verify-failed = No se ha podido verificar.
verify-incomplete = Me falta lo que solo sabe la persona que llama, por ejemplo su PIN.
message-changed = En una llamada se cambió este dato suyo: { $field }. Si no fue usted, llámenos.
message-reference = La referencia de su llamada con nosotros es { $reference }.
reference-sent = La referencia { $reference } se envió por mensaje de texto al número que termina en { $digits }.
reference-sent-perhaps = No es seguro que se haya enviado el mensaje de texto, y no se puede enviar de nuevo. Diga la referencia y deje que la persona la anote: { $reference }.
reference-not-sent = No se pudo enviar ningún mensaje de texto. Diga la referencia y deje que la persona la anote: { $reference }.
reference-which = No conozco ninguna solicitud de esta llamada. Pregunte qué referencia quiere la persona por escrito.
verify-code-sent = El código se envió al número registrado que termina en { $digits }. Pídelo y llama a { $tool } con él.
verify-code-not-sent = No se ha podido enviar ningún código. La persona puede demostrar de otro modo quién es, o hablar con el equipo.
proof-needed = Para eso la persona tiene que demostrar quién es. Pida su PIN y llame a { $tool }. Todavía no se ha hecho nada.
proof-needed-or-code = Para eso la persona tiene que demostrar quién es. Pida su PIN u ofrezca enviar un código por SMS, y llame a { $tool }. Todavía no se ha hecho nada.
proof-needed-by-code = Para eso la persona tiene que demostrar quién es. Ofrezca enviar un código por SMS y llame a { $tool }. Todavía no se ha hecho nada.
proof-needed-from-colleague = Para eso la persona tiene que demostrar quién es, y no puedo comprobarlo. Ofrezca hablar con el equipo. No se ha hecho nada.
caller-on-file = Este número de teléfono está registrado, pero no muestra quién llama.
update-for-colleague = Alguien del equipo comprobará primero: { $fields }. Después quedará registrado. La referencia es { $reference }.
update-rest-for-colleague = Alguien del equipo comprobará primero: { $fields }.
call-back-another-number = Alguien del equipo comprobará primero ese número y después llamará. La referencia es { $reference }.
call-back-not-called = No podemos llamar a ese número, por su país o por su tipo. No se ha guardado nada. Ofrezca anotar el asunto como caso o pida otro número.

## Correcciones

replaces-unknown = No conozco en esta llamada ninguna solicitud con la referencia que se quiere sustituir. No se ha guardado nada.
replaces-another-kind = La referencia { $reference } es de { request-with-article }, y eso no se puede sustituir así. No se ha guardado nada.
replaced = Sustituye { request }.
replaced-is-closed = Se está cerrando { request } con la referencia { $reference }.
replaced-stays = Ya se ha tramitado { request } con la referencia { $reference }, así que se mantiene.

## Durante la llamada, para el agente

caller-took-back = Quien llama ha retirado { request } con la referencia { $reference }. No se guarda. Dígaselo. Si no era su intención, llame otra vez a { $tool } con todos los datos.
case-open-now = El caso con la referencia { $reference } ya está abierto. Su número es { $number }. Dígalo cuando convenga.
write-not-saved = No se ha podido guardar lo anotado con la referencia { $reference }. Diga que una persona de nuestro equipo lo revisará.
fields-not-saved = De lo anotado con la referencia { $reference } no se ha podido guardar esto: { $fields }. El resto se está guardando. Diga que una persona de nuestro equipo lo revisará.

# $claim es una de estas. El equipo también las lee.
claim-unbacked = Usted ha dicho { $claim }, pero ninguna herramienta lo ha hecho en esta llamada. Diga que todavía no está hecho. Después llame a la herramienta o ofrezca que alguien devuelva la llamada.
claim-call-back = que alguien devolverá la llamada
claim-cancelled = que algo se canceló o se cerró
claim-commented = que se añadió algo a un caso
claim-changed = que se cambiaron datos
claim-opened = que se abrió un caso o una solicitud
claim-done = que algo se guardó o se transmitió

## Transferencias

transfer-connecting = Le paso con { $whom }. Un momento, por favor.
transfer-to-colleague = una persona de nuestro equipo
transfer-to-owner = la persona que lleva su cuenta
transfer-failed = Allí no ha contestado nadie. Sigo con usted. ¿Quiere que le devuelvan la llamada?
transfer-nobody = Ahora nadie puede atender esta llamada. Ofrezca que alguien devuelva la llamada.
transfer-no-phone = Esta conversación no es una llamada telefónica, así que no se puede transferir a un teléfono. Ofrezca que alguien llame y pida el número.
handover-refused = No puedo pasar esta llamada.

transfer-caller-unknown = Una persona que no conocemos por su número
transfer-caller-not-verified = Una persona que no ha demostrado quién es
transfer-summary = { $who } quiere hablar con alguien.
transfer-summary-number = { $who } quiere hablar con alguien sobre el caso { $number }, tema: { issue }.
transfer-summary-reference = { $who } quiere hablar con alguien sobre un caso con la referencia { $reference }, tema: { issue }.

## Antes del agente o sin él

disclosure-ai = Está hablando con un asistente de IA.
disclosure-recorded = Esta llamada se graba.
greeting = Hola, ha llamado al servicio de atención al cliente. { disclosure-ai } { disclosure-recorded } ¿En qué puedo ayudarle?
greeting-by-name = Hola, { $name }, ha llamado al servicio de atención al cliente. { disclosure-ai } { disclosure-recorded } ¿En qué puedo ayudarle?

closed = Nos llama fuera de nuestro horario de atención. Por favor, vuelva a llamar dentro de ese horario.
closed-transfer = Nos llama fuera de nuestro horario de atención. Le comunico con nuestra línea de urgencias.
nobody-answers = Lo sentimos, nadie puede atender su llamada en este momento. Llame más tarde, por favor.
voicemail-prompt = Lo sentimos, nadie puede atender su llamada ahora. Después de la señal, deje su nombre y el motivo de su llamada.
voicemail-thanks = Gracias. Nos pondremos en contacto con usted.
voicemail-too-many = Tenemos sus mensajes anteriores y nos pondremos en contacto con usted. Este no se ha guardado.
campaign-not-decided = Este servidor no decide a quién se puede llamar.

## Registros de Salesforce

# Lo que lee el equipo, en el idioma predeterminado: la tarea de una llamada, comentarios, devoluciones.

record-call = { $direction ->
    [web] Llamada web
    [outbound] Llamada telefónica (saliente)
   *[other] Llamada telefónica (entrante)
}
record-moment = { $day }/{ $month }/{ $year }, { $hour }:{ $minute } ({ $zone })
record-started = Inicio: { record-moment }
record-ended = Fin: { $reason }
record-ended-at = Hora del fin: { record-moment }
record-caller = { $direction ->
    [outbound] Llamada a
   *[other] Llamada de
}: { $phone }
record-speaker = { $speaker ->
    [agent] Asistente
    [callee] Persona llamada
   *[other] Quien llama
}
record-summary = Resumen:
record-transcript = Transcripción:
record-transcript-in-file = La transcripción está en el archivo de esta tarea.
record-transcript-cut = (La transcripción se corta aquí: la llamada es demasiado larga para guardarla.)
record-transcript-title = Transcripción de la llamada { $call }
record-recording = Grabación: { $url }
record-recording-with-key = Grabación (requiere la clave de Vapi): { $url }
record-other-cases = { $count ->
    [one] Otro caso de esta llamada
   *[other] Otros casos de esta llamada
}: { $cases }

record-transfer = Transferencia a { $to }
record-transfer-ended = { record-transfer }: { $how ->
    [no-answer] nadie contestó
    [voicemail] contestó un buzón de voz
    [busy] la línea estaba ocupada
    [connected] conectada
    [failed] fallida
   *[other] { $how }
}
record-transfer-in-vain = La transferencia no llegó a nadie.
record-somebody = alguien

record-yes = sí
record-no = no
record-success = Evaluación del resultado: { $result }
record-scorecard = Puntuación { $name }: { $score }
record-scorecard-of-100 = Puntuación { $name }: { $normalized } de 100
record-scorecard-both = Puntuación { $name }: { $score } ({ $normalized } de 100)
record-disclosed = Informado: «{ $words }» (saludo { $version })
record-disclosed-at = Informado: «{ $words }» (saludo { $version }, { record-moment })
record-disclosed-as-set-up = Informado, si el saludo se dijo tal como está configurado: «{ $words }» (saludo { $version })
record-not-disclosed = No informado: «{ $words }» (saludo { $version })
record-consent-granted = Consentimiento para grabar ({ $type }): concedido
record-consent-not-granted = Consentimiento para grabar ({ $type }): no concedido
record-assistant = Asistente: { $assistants }
record-assistant-with-version = Asistente: { $assistants } ({ $version })
record-assistant-version = Versión del asistente: { $version }
record-cost = Coste: { $amount } USD

record-call-back-subject = Devolver la llamada a { $phone }
record-call-back = Devolver la llamada a:
record-call-back-when = Cuándo:
record-call-back-why = Motivo:
record-call-back-unproven = Una persona sin verificar pide que la llamen a otro número que el de la llamada. Primero hay que comprobar de quién es.
record-call-back-reference = Referencia: { $reference }
record-call-back-transferred = La llamada se transfirió y nadie contestó.
record-call-back-missed = Llamó y no pudo hablar con nadie
record-call-back-unreached = El agente no pudo acceder a nuestros sistemas durante esta llamada, así que no se consultó ni se guardó nada. Intentó: { $tools }. La transcripción está en la tarea de la llamada.
record-call-back-claims = El agente dijo en esta llamada { $claims }, y ninguna herramienta lo hizo. La transcripción está en la tarea de la llamada.
record-call-back-broken = Se prometió a quien llamó lo anotado con { $references }. No se pudo guardar.
record-voicemail = Hay un mensaje de voz de { $count ->
    [one] un segundo
   *[other] { number } segundos
}:

record-reference = referencia { $reference }
record-call-summary = Resumen de la llamada:
record-case-taken-back = Retirado por quien llama:
record-case-replaced = Sustituido por otro caso a petición de quien llama.
record-transferring = La llamada se está pasando a { $whom }.
record-being-transferred = { record-transferring } Lo dicho hasta ahora:
record-alert-subject = Avisar de que se cambió un dato: { $field }
record-alert = Este dato se cambió a petición de una persona que llamó. Hay que avisar por el dato antiguo y preguntar si es correcto.
record-change-to-check = Una persona sin verificar pide estos cambios. Primero hay que comprobar quién es.
record-number-of-another = Un teléfono de estos puede ser de otro cliente o la línea principal de una cuenta. Hay que averiguar de quién es antes de cambiar nada.
record-change-of = { $field }: { $value }
