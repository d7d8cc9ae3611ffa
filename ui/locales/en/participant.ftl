# Words for participants: reading grade 6 at most, sentences of 15 words at most.

## Places

nav-home = Home
nav-sharing = Sharing
nav-choices = My choices
nav-activity = Activity
nav-key = My key

## Invitation

open-title = Open your invitation
open-lead = Your biobank gave you a link or a code. Put it here.
open-field = Link or code
open-field-hint = A code has eight signs, like ABCD-EFGH.
open-address = Address of the biobank
open-address-hint = It stands next to the code. It starts with https.
open-button = Open
open-demo = A practice biobank runs on this computer. Its address is filled in.
open-steps = What comes next
open-step-1 = You see who invites you.
open-step-2 = You join, if you want to.
open-step-3 = You decide on each study, one by one.
invite-title = { $biobank } invites you
invite-lead = If you join, studies can ask you for your data. You answer each one.
invite-point-1 = Joining does not share any data.
invite-point-2 = You can say no to each study.
invite-pin = Code from your letter
invite-point-3 = You can use this invitation until { $date }.
invite-join = Join
invite-not-now = Not now
invite-details = Who this is, in detail
invite-did = Identifier of the biobank

## Home

home-title-waiting = { $count ->
    [one] One study is waiting for you
   *[other] { $count } studies are waiting for you
}
home-title-none = You are up to date
home-lead = You decide who may use your samples and data. You can change your mind at any time.
home-empty-title = No requests yet
home-empty-text = When a study asks to use your data, you will see it here. You don’t need to do anything.
home-requests = Waiting for your answer
home-why = { $organisation } asks.
home-deferred = You chose to decide later
home-read = Read and decide
home-shared = What you share now
home-shared-none = You share nothing right now.
home-lately = Lately
home-all-sharing = See all your answers
home-all-activity = See all activity
home-asks = { $count ->
    [one] One researcher asks for proof of your yes
   *[other] { $count } researchers ask for proof of your yes
}
home-asks-button = See who asks
home-until = until { $date }
home-see = See

## Data

data-my-genome = My DNA data
data-my-healthRecord = My health record
data-my-survey = My answers to questions
data-my-sample = My samples
data-my-imaging = My scans
data-my-device = My device data

## States

state-waiting = Waiting for you
state-allowed = Allowed
state-paused-until = Paused until { $date }
state-unrecorded = Not yet recorded
state-stopped = Stopped
state-ended = Ended
state-problem = Problem

## Whether a request fits the person’s choices

fits-permit = Fits your choices
fits-deny = Goes against your choices
fits-review = You are not sure yet
fits-free = This is only a hint. You can say yes or no either way.
fits-see = See my choices

## Request

request-count = Request { $position } of { $of }
request-title = Can this study use your data?
request-checked = Checked by { $biobank }, { $date }
request-why = Why
request-what = What
request-choose = You choose. Nothing is switched on yet.
request-rules = Rules
request-until = Until
request-until-none = They set no last day. You can stop at any time.
request-until-earlier = I want it to end earlier
request-day-wrong = Please check the last day.
request-questions = Questions from the study
request-questions-help = You can leave each one open. Then a person must ask you first.
request-results = Results
request-contact = Contact
request-risk = Risk
request-risk-text = Your name is taken off first. There is still a small chance that someone could work out who you are.
request-change = Change
request-change-text = You can stop at any time. They must stop using your data from that day. Work already done can’t be undone.
request-care-text = If you say no, your care stays the same.
request-disclosure = The full study text, and how this is recorded
request-text = The full study text
request-record = How this is recorded
request-record-text = You sign with a name that only this study knows. The biobank’s record holds no data of yours.
request-signer = You sign as
request-notice = Mark of the text shown
request-later = Decide later
request-no = Say no
request-continue = Continue
request-keep = Keep it as it is

## Changing what is shared, and letting it last longer

change-title = Change what you share
change-lead = Your answer now is filled in. Nothing changes before you sign.
change-choose = What is ticked now is what you share today.
change-until = Last day
change-until-hint = You can choose any day up to { $last }.
change-mark = Changed
change-nothing = You have not changed anything yet.
extend-title = Let it last longer
extend-text = Only the last day changes. You share the same data, by the same rules.
extend-hint = It ends on { $now } now. The study ends on { $last }.
extend-to-the-end = Until the study ends
extend-not-later = Choose a day that is later than now.

## Check your answer

review-title = Check your answer
review-change-title = Check your change
review-changes = What changes
review-effects = What this means for the study
review-answers = Your answers
review-text = The text that you sign
review-lead = Nothing is sent before you sign.
review-shared = You share
review-kept = You keep
review-share-genome = { $organisation } may use your DNA data.
review-share-healthRecord = { $organisation } may use your health record.
review-share-survey = { $organisation } may use your answers to questions.
review-share-sample = { $organisation } may use your samples.
review-share-imaging = { $organisation } may use your scans.
review-share-device = { $organisation } may use the data of your device.
review-keep-genome = Your DNA data stays with you.
review-keep-healthRecord = Your health record stays with you.
review-keep-survey = Your answers to questions stay with you.
review-keep-sample = Your samples stay with you.
review-keep-imaging = Your scans stay with you.
review-keep-device = The data of your device stays with you.
review-keychain = Your computer may ask you to unlock your keychain.
review-sign = Sign and send
statement-mark = Mark of the text
statement-mark-help = The mark changes if even one letter changes. You sign the mark.

## Check a pause, its end, or leaving

check-title = Check what you do
check-text = This is what you sign
check-details = Mark of this text
check-offline = You do not have to be online. We send it as soon as we can.
check-pause = Pause sharing
check-resume = Go on sharing

## Done

done-recorded-text = Entry { $number } in the biobank’s record. Your wallet checked it at { $time }.
done-saved-title = Your answer is saved
done-saved-text = Saved on this computer. We will send it when you are online.
done-sent-title = Your answer is sent
done-sent-text = The biobank has it. We are waiting for the proof that it is recorded.
done-problem-title = Your answer was not taken
done-problem-text = The biobank did not take it. Nothing is shared. Please ask your biobank.
done-problem-step = The biobank did not take it. Please ask your biobank.
done-wait = This page changes by itself.
done-live = Your answer is now recorded.
done-home = Go to Home
done-details = See the details
did-answer = Your answer is recorded
did-answer-text = You can change your mind at any time.
did-change = Your change is recorded
did-change-text = The new rules count from now on.
did-extend = It lasts longer now
did-extend-text = You can still stop at any time.
did-pause = { $study } is paused
did-pause-text = They may not use your data for now.
did-resume = { $study } may go on
did-resume-text = They may use your data again, by the same rules.
did-noContact = Contact is stopped
did-noContact-text = Nobody may call you or write to you any more.
did-noAccess = Contact and new data are stopped
did-noAccess-text = They may only use what they have.
did-noUse = You left { $study }
did-noUse-text = They must stop using your data once they hear of it.
did-destroySample = You left { $study }
did-destroySample-text = They must stop, and destroy your sample, once they hear of it.

## Sharing

sharing-title = Sharing
sharing-lead = Each answer you gave, and where it stands.
sharing-empty-title = You have not answered any study yet
sharing-empty-text = Your answers will be listed here. You can change each one here too.
sharing-data = Data
sharing-rules = Rules
sharing-until = Until
sharing-answered = Answered
sharing-see = See details
sharing-see-help = Change it, pause it or leave.
sharing-over-help = See what you signed, and what you can do.
sharing-save = Save a proof
sharing-save-hint = A proof is a file that shows your yes. Give it only to people you trust.
sharing-saved = The proof is saved here:
sharing-again-announce = You can answer this study now.
sharing-unrecorded = Saved here, not yet in the record.
sharing-link = Open a link
sharing-link-help = Did someone send you a link that asks for proof?
sharing-asks = People who ask for proof
sharing-ask-title = { $organisation } asks for proof of your consent
sharing-ask-text = It is about { $study }. The proof shows your yes and its rules. It does not show your name.
sharing-ask-what-for = They want to use it for
sharing-ask-when = Asked { $when }
sharing-ask-share = Share proof
sharing-ask-not-now = Not now
sharing-ask-shared = The proof was shared.
sharing-ask-declined = The proof was not shared.

## One answer

consent-title = Your answer
consent-now = Now
consent-active = They may use your data, by your rules.
consent-paused = Paused until you let it go on.
consent-paused-until = Paused. They may use your data again after { $date }.
consent-answers = Answers
consent-do = What you can do
consent-change = Change what you share
consent-change-help = Share more or less, or give other answers.
consent-extend = Let it last longer
consent-extend-help = Choose a later last day.
consent-pause = Pause sharing
consent-pause-help = For some time, or until you say so.
consent-resume = Go on sharing
consent-resume-help = End the pause. The same rules hold.
consent-again = Ask me again
consent-again-help = You can answer this study anew.
consent-copies = Keep a copy
receipt-which = A receipt shows what you signed.
receipt-pdf = To print and keep (PDF)
receipt-fhir = For a hospital (FHIR)
receipt-odrl = For a data system (ODRL)
receipt-dpv = For a privacy office (DPV)
receipt-save = Save a receipt
receipt-saved = The receipt is saved here:
consent-history = History
consent-history-text = Each step you signed, the newest first.
history-version = Version { $version }
history-text = The text that you signed
history-same = The text is the same as the one you signed.
history-not-same = The text is not the one you signed. Please ask your biobank.
history-unknown = An older wallet signed this. Its text can’t be checked.

## Pausing

pause-title = Pause { $study }?
pause-lead = They may not use your data while it is paused. You stay in the study.
pause-how-long = How long?
pause-day = Until a day
pause-day-help = After that day they may use your data again.
pause-open = Until I say so
pause-open-help = It stays paused until you let it go on.
pause-until = Last day of the pause
pause-until-hint = Your yes lasts until { $date }.
pause-month-1 = One month
pause-month-3 = Three months
pause-month-6 = Six months
pause-nothing = Choose how long first.
pause-no-day = Choose the last day of the pause.

## Leaving

leave-heading = Leave this study
leave-this = Leave this study
leave-this-text = You choose how far. This can’t be taken back.
leave-further = Stop more than before
leave-more = Stop more
leave-more-text = You can go further, but not back.
leave-title = Leave { $study }?
leave-lead = { $organisation } will be told. Your care stays the same.
leave-how-far = How far do you want to go?
leave-only-more = You can go further later, but not back.
leave-care = The record shows that you stopped. It does not show who you are.
leave-nothing = Choose how far first.
leave-or-change = Do you only want to change what you share?
leave-stay = Stay in this study

## Activity and key

activity-lead-participant = All that happened in this wallet, the newest first. It never leaves this computer.
key-title = My key
key-lead = Your key signs your answers. It never leaves this computer.
key-fingerprint = Fingerprint
key-fingerprint-text = This short name tells your key from others. You may show it.
key-where = Where it is kept
key-where-secret-service = In the keychain of this computer. You unlock it when you log in.
key-where-apple-keychain = In the keychain of your Mac.
key-where-windows-credential-manager = In the safe that Windows keeps for you.
key-where-other = In the keychain of this computer.
key-lost = If you lose it
key-lost-text = Without the key you can’t sign from here. Ask your biobank to help you.
key-names = Names that others know you by
key-names-text = Each biobank and each study knows you by its own name. Your biobank can link them. Studies can’t.
key-names-none = No names yet. The first one is made when you join a biobank.

## A link that asks for proof

show-title = A link that asks for proof
show-lead = Paste the link. You see who asks and for what before anything is told.
show-field = Link
show-field-hint = It begins with openid4vp://
show-open = Open
show-back = Back
show-who = { $who } asks for proof
show-vouched = Your biobank confirms who this is.
show-unknown = Nobody confirms who this is. Share only if you know that the link comes from people you trust.
show-needed = What they need
show-optional = What they would like to have
show-include = Show this too
show-consent = Your answer to { $study }
show-which = Which answer do you want to show?
show-asked = They ask for
show-beside = Also told
show-hidden = What stays hidden
show-hidden-name = Your name
show-hidden-number = Your number at the biobank
show-hidden-others = Your answers to other studies
show-client = Who asks
show-goes-to = Goes to
show-keep = Do not share
show-share = Share
show-shared = The proof was shared.
show-kept = Nothing was shared.
told-study = the study
told-dataUse = what you allow
told-recipient = who may use it
told-preferences = what you wish to hear later
told-terms = the terms of the study
told-notice = which text you read
told-studyVersion = the version of the study
told-biobank = the biobank
told-supersedes = which earlier answer it replaces
told-schemaVersion = the version of the form
told-id = your code name in this study
