# Words that every role sees.

app-name = Consent wallet
window-title = { $page } · { $role } · Consent wallet
window-title-start = { $page } · Consent wallet

## Dates and times

when-today = today, { $time }
when-yesterday = yesterday, { $time }
when-day = { $date }, { $time }

## Roles

role-participant = Participant
role-staff = Biobank staff
role-researcher = Researcher
brand-participant = My consent
brand-staff = Donor desk
brand-researcher = Consent check

## Choosing

choose-title = Who are you?
choose-lead = Each role has its own key and its own space on this computer.
choose-participant = I am a participant
choose-participant-text = I gave samples or data, and decide who may use them.
choose-staff = I work at a biobank
choose-staff-text = I invite donors and see how many consents are in force.
choose-researcher = I am a researcher
about-title = About Consent Wallet { $version }
about-licence = Open source, under the MIT or the Apache 2.0 licence.
about-mondo = Names of diseases: MONDO Disease Ontology, release 2026-05-05, Monarch Initiative, CC BY 4.0. Changed: made smaller, and put in a form for searching.
about-font = Letters: Atkinson Hyperlegible, Braille Institute, SIL Open Font Licence.
choose-researcher-text = I check whether a consent covers what I want to do.
switch-profile = Switch profile

## First run

first-title = Let us make your key
first-lead-participant = Your key signs your answers. Nobody else can answer for you.
first-lead-staff = Your key shows the biobank that it is you who invites a donor.
first-lead-researcher = Your key shows biobanks that it is you who asks.
first-key = One key, made here
first-key-text = It is made on this computer and stays on it. No one else has a copy.
first-keychain = Kept in your keychain
first-keychain-text = The keychain is the safe of your computer, where it also keeps passwords. Your computer may ask you to unlock it.
first-answers = Every answer is signed
first-answers-text-participant = The key puts your mark on a yes or a stop. Anyone can check the mark. Nobody can forge it.
first-answers-text-staff = Each invitation is signed, so the biobank can tell who sent it.
first-answers-text-researcher = Each question is signed, so a donor can see who asks.
first-make = Make my key
first-other = Choose another role

## The keychain and its states

keychain-absent-title = Your keychain is not running
keychain-absent-text = The wallet keeps its key in the keychain of your computer. The keychain does not answer.
keychain-absent-todo = Start the keychain, or log in to your computer again. Then close this window and open the wallet anew.
keychain-locked-title = Your keychain is locked
keychain-locked-text = Your key is safe inside it. The wallet can not use it before you unlock it.
keychain-locked-todo = Press “Try again”. When your computer asks, type the password of the keychain.
key-missing-title = Your key is not in the keychain
key-missing-text = There is a wallet on this computer, but its key is gone from the keychain.
key-missing-todo = Was the keychain reset or moved? Bring it back from a backup, then try again. We will not put a new key over the old wallet.
key-foreign-title = This key belongs to another wallet
key-foreign-text = The keychain holds a key, but not the key of the wallet in this folder.
key-foreign-todo = Bring back the folder or the keychain that belong together, then try again. Nothing was changed.
key-without-profile-title = We found your key
key-without-profile-text = The keychain holds a key, but the wallet’s folder is gone. You can go on with this key.
key-without-profile-todo = Your old answers stay in the biobank’s record. Your wallet will ask for a new invitation.
key-without-profile-use = Use this key
keychain-same = Tried again at { $time }. Nothing has changed yet.
keychain-expected = The wallet here has this fingerprint:
try-again = Try again

## Frame

places = Places
back = Back
loading = Loading
more = Details
status = State of the record
sync-checked = All saved and checked, { $time }
sync-checked-short = Checked { $time }
sync-fresh = Nothing waits to be sent
sync-fresh-short = Saved
sync-waiting = { $count ->
    [one] 1 answer waits to be sent
   *[other] { $count } answers wait to be sent
}
sync-waiting-short = { $count } to send
sync-offline = Offline. Nothing is lost.
sync-offline-short = Offline
sync-offline-waiting = { $count ->
    [one] Offline. 1 answer waits to be sent
   *[other] Offline. { $count } answers wait to be sent
}
sync-forked = Alarm: the record does not match
sync-forked-short = Alarm

## The alarm

alarm-title-other = The biobank’s record was changed
alarm-title-shorter = The biobank’s record got shorter
alarm-other = It shows a past that this computer never saw. Entries were changed or taken out.
alarm-shorter = Entries are missing at its end. This computer saw them before.
alarm-proven = The biobank signed both. So anyone can check that they do not fit.
alarm-other-not-proven = The biobank gave no proof that others can check. Ask the biobank about it.
alarm-shorter-not-proven = It may be an old copy. Ask the biobank about it. If the entries come back, this alarm ends.
alarm-stop = You can still say stop. A stop is sent as always.
alarm-before = Seen before
alarm-after = Shown now
alarm-entries = { $count ->
    [one] 1 entry
   *[other] { $count } entries
}
alarm-noticed = Noticed
alarm-save = Save what was seen
alarm-save-hint = Save both signed pages of the record. Give them to the ethics board or to someone you trust.
alarm-saved = Saved. Keep the file safe.

## Parts

retry = Try again
copy = Copy
copied = Copied
field-needed = Please fill this in.
option-unstated = Not stated
yes = Yes
no = No

## The record

record-index = Place in the record, counted from 0
record-hash = Entry hash
record-checked = Proof checked on this computer
record-disclosure = How this is recorded
record-confirmed = { $signed ->
    [one] Confirmed by 1 other institution
   *[other] Confirmed by { $signed } other institutions
}
record-waits = Waiting for other institutions: { $signed } of { $all } so far
record-signed = Confirmed by
record-missing = Not confirmed by

## Activity

activity = Activity
activity-empty-title = Nothing has happened yet
activity-empty-text = Every step you take will be listed here.
activity-lead-staff = Every step on this computer, also those that failed.
activity-lead-researcher = Every check and question on this computer, also those that failed.
activity-worked = Done
activity-did-not-work = Failed
activity-profile-created = You made your key.
activity-joined = You joined { $biobank }.
activity-join-failed = Joining did not work.
activity-connected = You connected to { $institution }.
activity-granted = You allowed { $study }.
activity-refused = You said no to { $study }.
activity-deferred = You chose to decide later on { $study }.
activity-asked-again = You asked to answer { $study } anew.
activity-changed = You changed what you share with { $study }.
activity-paused = You paused { $study }.
activity-resumed = You let { $study } go on.
activity-withdrew = You left { $study }.
activity-no-contact = You stopped contact from { $study }.
activity-no-access = You stopped contact and new data for { $study }.
activity-choices-saved = You saved your choices.
activity-receipt-saved = You saved a receipt for { $study }.
activity-sent = Your answer on { $study } was sent.
activity-confirmed = Other institutions confirmed your answer to { $study }.
activity-recorded = Your answer on { $study } was recorded, and this computer checked it.
activity-send-failed = Your answer on { $study } was not sent. It is saved here.
activity-proof-saved = You saved a proof for { $study }.
activity-proof-shared = You shared a proof for { $study }.
activity-ask-declined = You did not share a proof for { $study }.
activity-presented = You showed { $who } your answer to { $study }.
activity-not-presented = You showed { $who } nothing.
activity-ask-received = Someone asked for a proof for { $study }.
activity-invited = You invited donor { $donor }.
activity-checked = You checked a proof: { $outcome ->
    [permit] permitted
    [review] needs review
    [deny] denied
    [not-valid] not valid
    [notValid] not valid
   *[other] no answer
}.
activity-asked = You asked the donors of { $study } for proof.
activity-log-forked = Alarm: the biobank’s record got shorter or shows another past.
activity-log-returned = The missing entries are back in the biobank’s record. This computer checked it.
activity-biobank-key-changed = The biobank signs with a new key. This computer checked that it belongs there.
activity-log-key-changed = The biobank’s record has a new key. This computer checked that it belongs there.
activity-failed = A step did not work.

## Connecting staff and researchers

connect-title-staff = Connect to your biobank
connect-title-researcher = Connect to a biobank
connect-lead-staff = Your administrator gives you the address and a one-time code.
connect-lead-researcher = The biobank gives you its address and a one-time code.
connect-address = Address of the biobank
connect-address-hint = Starts with https://
connect-code = One-time code
connect-code-hint = It works once. After that your key is known there.
connect-button = Connect
connect-demo = A practice biobank runs on this computer. Its address and code are filled in.

## Whether a study fits a person’s choices: what stands against it, and what is open

fit-purpose = You did not choose this kind of research.
fit-purpose-open = You are not sure yet which research you want.
fit-data = You chose not to share your { $data }.
fit-data-open = You are not sure yet about your { $data }.
fit-who = You chose not to share with { $recipients }.
fit-who-open = You are not sure yet about { $recipients }.
fit-place = You did not choose { $places }.
fit-place-open = You are not sure yet where your data may be used.
fit-money = You do not want your data used to earn money.
fit-methods = You do not want your data used just to build new methods.
fit-ancestry = You do not want research on where your family comes from.
fit-question = You said no to this: { $question }
fit-not-in-force = This study may not use your data then.
fit-not-allowed = You did not allow this kind of use.
fit-open = There is a point that you have not chosen yet.
