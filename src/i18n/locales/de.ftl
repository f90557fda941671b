# Überall
product = Vestibule
language-en = English
language-de = Deutsch
languages-label = Sprache
page-title = { $title } – { $product }
error-prefix = Fehler: { $title }
support-email = Support kontaktieren
support-url = Hilfe
cancel = Abbrechen
sign-out = Abmelden

# Wo man sich anmeldet
choose-title = Anmelden
choose-continue-to = und weiter zu { $client }
choose-email = Geschäftliche E-Mail-Adresse
choose-continue = Weiter
choose-or = oder
choose-providers = Wählen Sie, wo Sie sich anmelden
choose-error-title = Diese Adresse kennen wir nicht
choose-error-unknown = Prüfen Sie die Adresse auf Tippfehler oder fragen Sie den Support Ihres Unternehmens, welche Sie verwenden sollen.
choose-error-blank-title = Geben Sie Ihre geschäftliche E-Mail-Adresse ein
choose-error-blank = Damit finden wir heraus, wo Sie sich anmelden.

# Ein anderes Konto als verlangt
mismatch-title = Das ist ein anderes Konto
mismatch-what = Sie haben sich bei { $provider } angemeldet, aber nicht mit dem Konto, für das diese Anmeldung begonnen wurde. Zum Schutz beider Konten haben wir hier angehalten.
mismatch-way-on = Melden Sie sich noch einmal an und wählen Sie das verlangte Konto.
mismatch-retry = Noch einmal anmelden

# Abmelden
signed-out-title = Sie sind abgemeldet
signed-out-what = Sie können dieses Fenster schließen.
signed-out-still-at = Bei { $provider } sind Sie vielleicht noch angemeldet. Melden Sie sich an einem gemeinsam genutzten Computer auch dort ab und schließen Sie den Browser.
signed-out-again = Wieder anmelden
sign-out-confirm-title = Abmelden?
sign-out-confirm-what = Sie werden hier abgemeldet. Dienste, die Sie geöffnet haben, verlangen dann womöglich eine neue Anmeldung.
sign-out-confirm-client = { $client } möchte Sie abmelden. Auch andere Dienste, die Sie geöffnet haben, verlangen dann womöglich eine neue Anmeldung.
sign-out-stay = Angemeldet bleiben

# Angemeldet ohne Ziel
links-title = Sie sind angemeldet
links-what = Wohin möchten Sie?
links-none = Öffnen Sie den Dienst, den Sie nutzen möchten. Sie müssen sich nicht noch einmal anmelden.
links-label = Dienste

# Auf dem Rückweg zu einem Dienst
form-post-title = Sie werden angemeldet
form-post-to = Zurück zu { $client }
form-post-what = Einen Moment bitte.
form-post-continue = Weiter

# Fehler
error-start-again = Neu beginnen
error-reference = Referenz
error-reference-what = Mit dieser Referenz kann der Support Ihres Unternehmens nachsehen, was geschehen ist.
error-link-invalid-title = Dieser Link ist ungültig
error-link-invalid-what = Der Dienst, von dem Sie kommen, hat eine Anmeldung verlangt, die wir nicht annehmen.
error-link-invalid-way-on = Öffnen Sie den Dienst noch einmal unter seiner üblichen Adresse. Sehen Sie diese Seite wieder, sagen Sie es dem Support Ihres Unternehmens.
error-malformed-request-title = Wir können diese Anfrage nicht lesen
error-malformed-request-what = Ein Teil der Anfrage fehlt, ist doppelt oder beschädigt.
error-malformed-request-way-on = Gehen Sie zurück zu dem Dienst, den Sie nutzen möchten, und melden Sie sich von dort aus an.
error-too-large-title = Diese Anfrage ist zu groß
error-too-large-what = Sie ist länger, als eine Anmeldung sein muss. Darum haben wir sie nicht gelesen.
error-too-large-way-on = Gehen Sie zurück zu dem Dienst, den Sie nutzen möchten, und melden Sie sich von dort aus an.
error-back-to-service = Zurück zum Dienst
error-foreign-form-title = Dieses Formular stammt nicht von hier
error-foreign-form-what = Es kam von einer anderen Website, oder seine Anmeldung ist vorbei. Es wurde nichts geändert.
error-foreign-form-way-on = Gehen Sie zurück zu dem Dienst, den Sie nutzen möchten, und melden Sie sich von dort aus an.
error-method-not-allowed-title = So geht es hier nicht
error-method-not-allowed-what = Die Adresse gibt es, sie lässt sich aber nicht auf diese Weise verwenden.
error-method-not-allowed-way-on = Gehen Sie zurück zu dem Dienst, den Sie nutzen möchten, und melden Sie sich von dort aus an.
error-not-found-title = Hier ist nichts
error-not-found-what = Diese Adresse führt nirgendwohin.
error-not-found-way-on = Prüfen Sie sie auf Tippfehler oder öffnen Sie den Dienst, den Sie nutzen möchten.
error-wrong-host-title = Falsche Adresse
error-wrong-host-what = Unter dem Namen, den Sie verwendet haben, antwortet dieser Anmeldedienst nicht.
error-wrong-host-way-on = Öffnen Sie den Dienst, den Sie nutzen möchten, unter seiner üblichen Adresse.
error-initiate-invalid-title = Diese Anmeldung lässt sich nicht beginnen
error-initiate-invalid-what = Der Link nennt einen Identitätsanbieter oder ein Ziel, das hier nicht eingerichtet ist.
error-initiate-invalid-way-on = Öffnen Sie den Dienst, den Sie nutzen möchten, unter seiner üblichen Adresse. Sehen Sie diese Seite wieder, sagen Sie es dem Support Ihres Unternehmens.
error-sign-out-invalid-title = Wir können diese Abmeldung nicht bestätigen
error-sign-out-invalid-what = Der Dienst, von dem Sie kommen, hat eine Abmeldung verlangt, die wir nicht annehmen. Sie sind vielleicht noch angemeldet.
error-sign-out-invalid-way-on = Schließen Sie an einem gemeinsam genutzten Computer sicherheitshalber den Browser.
error-login-expired-title = Diese Anmeldung ist abgelaufen
error-login-expired-what = Zu Ihrer Sicherheit muss eine Anmeldung innerhalb von zehn Minuten abgeschlossen sein.
error-login-expired-way-on = Beginnen Sie neu. Es dauert nicht lange.
error-already-used-title = Dieser Schritt ist schon getan
error-already-used-what = Jede Anmeldung gilt einmal. Wer zurückgeht, neu lädt oder die Seite zweimal öffnet, landet hier.
error-already-used-way-on = Sind Sie nicht angemeldet, beginnen Sie neu bei dem Dienst, den Sie nutzen möchten.
error-other-browser-title = Diese Anmeldung begann woanders
error-other-browser-what = Sie wurde in einem anderen Browser oder Fenster begonnen, oder Ihr Browser behält keine Cookies von dieser Website.
error-other-browser-way-on = Erlauben Sie Cookies für diese Website und beginnen Sie in diesem Browser neu.
error-too-many-logins-title = Zu viele Anmeldungen auf einmal
error-too-many-logins-what = Gerade laufen mehr Anmeldungen, als wir annehmen können.
error-too-many-logins-way-on = Warten Sie eine Minute und beginnen Sie dann neu.
error-provider-unavailable-title = Die Anmeldung Ihres Unternehmens antwortet nicht
error-provider-unavailable-what = Wir konnten den Identitätsanbieter nicht erreichen. Sie sind nicht angemeldet.
error-provider-unavailable-way-on = Versuchen Sie es in ein paar Minuten noch einmal.
error-provider-refused-title = Sie wurden nicht angemeldet
error-provider-refused-what = Der Identitätsanbieter Ihres Unternehmens hat die Anmeldung beendet.
error-provider-refused-way-on = Haben Sie selbst abgebrochen, können Sie jederzeit neu beginnen. Sonst fragen Sie den Support Ihres Unternehmens.
error-answer-not-trusted-title = Wir konnten diese Anmeldung nicht prüfen
error-answer-not-trusted-what = Die Antwort des Identitätsanbieters Ihres Unternehmens hat eine Sicherheitsprüfung nicht bestanden. Sie sind nicht angemeldet.
error-answer-not-trusted-way-on = Beginnen Sie neu. Sehen Sie diese Seite wieder, sagen Sie es dem Support Ihres Unternehmens.
error-not-provisioned-title = Sie haben noch keinen Zugang
error-not-provisioned-what = Ihr Identitätsanbieter hat Sie angemeldet, aber hier gibt es kein aktives Konto für Sie.
error-not-provisioned-way-on = Bitten Sie den Support Ihres Unternehmens um Zugang oder melden Sie sich mit einem anderen Konto an.
error-server-error-title = Bei uns ist etwas schiefgegangen
error-server-error-what = Sie haben nichts falsch gemacht. Angemeldet sind Sie nicht.
error-server-error-way-on = Versuchen Sie es noch einmal. Geschieht es wieder, sagen Sie es dem Support Ihres Unternehmens.
error-service-unavailable-title = Wir sind gleich wieder da
error-service-unavailable-what = Ein Teil dieses Dienstes ist gerade nicht erreichbar. Darum können wir Sie nicht anmelden.
error-service-unavailable-way-on = Versuchen Sie es in ein paar Minuten noch einmal.

# Die Vorführung
demo-badge = Demo
demo-idp-name = Demo-Identitätsanbieter
demo-client-name = Demo-Dienst
demo-idp-title = Anmelden
demo-idp-what = Diese Seite steht für den Identitätsanbieter Ihres Unternehmens. Passwörter gibt es hier nicht.
demo-idp-username = Benutzername
demo-idp-sign-in = Anmelden
demo-idp-people = oder anmelden als
demo-idp-unknown-title = Niemand hier hat diesen Benutzernamen
demo-idp-unknown = Wählen Sie eine der Personen unten.
demo-idp-signed-in-title = { $name } ist angemeldet
demo-idp-signed-in-what = Der Demo-Identitätsanbieter merkt sich { $username }. Die nächste Anmeldung geht ohne Rückfrage durch.
demo-idp-back = Zurück zum Demo-Dienst
demo-client-title = Anmeldung ausprobieren
demo-client-what = Diese Seite steht für einen Dienst Ihres Unternehmens. Er meldet Menschen über Vestibule an.
demo-client-hint = Wer wird sich anmelden?
demo-client-hint-what = Wird als { $parameter } gesendet. Bleibt das Feld leer, werden Sie gefragt.
demo-client-prompt = Erneut fragen?
demo-client-prompt-default = Nur wenn nötig
demo-client-prompt-login = Immer neu anmelden
demo-client-prompt-select = Konto wählen lassen
demo-client-prompt-none = Nie eine Seite zeigen
demo-client-sign-in = Anmelden
demo-client-again = Andere Anmeldung ausprobieren
demo-client-signed-in-title = Sie sind angemeldet
demo-client-signed-in-what = Das sind die Claims des ID-Tokens, das dieser Dienst bekommen hat.
demo-client-refused-title = Sie sind nicht angemeldet
demo-client-refused-what = Diesen Fehler hat der Dienst bekommen.
demo-claim = Claim
demo-value = Wert
demo-error = Fehler
demo-description = Beschreibung
demo-trace = Wie diese Anmeldung Schritt für Schritt verlief, zeigt:
