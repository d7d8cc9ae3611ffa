# Words for researchers.

nav-check = Check
nav-requests = Requests

form-title = Check a consent
form-lead = A proof from a donor, a purpose, and the live record: may you use the data?
form-proof = Proof
form-file = Choose the proof file
form-file-hint = You can also drop the file here.
form-file-chosen = { $name } is loaded.
form-drop = Drop the file to load it
form-paste = Or paste the text of the proof
form-purpose = Purpose
form-study = Study
form-study-none = No study, I state the purpose myself
form-topics = What is the research about?
form-diseases = Diseases
form-diseases-hint = Terms such as MONDO:0005015, with commas between them.
form-data = Which data will you use?
form-organisation = What kind of organisation are you?
form-organisation-non-profit = Non-profit
form-organisation-commercial = Company
form-places = Where will the data be used?
form-places-other = Other countries
form-places-other-hint = Two-letter codes such as AT, with commas between them.
form-commercial = Is the use commercial?
form-ethics = Ethics approval (optional)
form-ethics-committee = Ethics board
form-ethics-number = Approval number
form-ethics-until = Valid until
form-ethics-incomplete = An ethics approval needs its board, number and last day.
form-button = Check
form-proof-missing = Choose a proof file or paste its text first.

result-title-permit = Permit
result-title-review = Review
result-title-deny = Deny
result-title-not-valid = Not valid
result-title-unchecked = Could not check
result-lead-permit = You may use this data for your purpose.
result-lead-review = A person has to decide. Do not use the data yet.
result-lead-deny = You may not use this data for your purpose.
result-lead-not-valid = This proof failed a check. Do not rely on it.
result-lead-unchecked = Not every check could be made. Do not use the data yet.
result-live = Live as of { $time }, { $count ->
    [one] 1 entry
   *[other] { $size } entries
} in the record
result-not-live = The live record could not be read.
result-reasons = Reasons
result-why-not = What did not pass
result-duties = What you owe in return
result-evidence = Evidence
result-study = Study
result-data = Data covered
result-signer = Signed by
result-given = Given
result-withdrawn = Withdrawn
result-entry = Entry { $number }, checked { $when }
result-checks = Every check that was made
result-check-passed = Passed
result-check-failed = Failed
result-check-not-made = Not made
result-checks-count = { $passed } of { $all } passed
result-again = Check again
result-change = Change the purpose
result-new = Check another proof
result-announce = Result: { $outcome }

requests-title = Requests
requests-lead = Ask all donors of a study for proof. Each donor decides whether to answer.
requests-new = New request
requests-study = Study
requests-ask = Ask for proof
requests-sent = The request was sent.
requests-no-studies = Your organisation has no study at this biobank yet.
requests-list = Requests so far
requests-empty-title = No requests yet
requests-empty-text = Choose a study and ask its donors. Their answers will be listed here.
requests-asked = Asked { $when }
requests-count = { $answers } of { $sent } answered
requests-no-answers = No donor has answered yet.
requests-answers = Answers
requests-answer = Answer { $number }
requests-live = live as of { $time }

## Names of checks

check-size = Size of the file
check-json = Readable, with no double entries
check-context = Terms pinned and known
check-type = Right kind of credential
check-proof-count = Exactly one proof
check-suite = Known method of signing
check-purpose = Right use of the key
check-signer-is-issuer = Issuer is the signer
check-created = Time of signing
check-expires = Not expired
check-challenge = Fresh, made for this question
check-audience = Meant for you
check-valid-from = Already valid
check-valid-until = Still valid
check-signature = Signature
check-claims = Claims are complete
check-holder = Shown by its holder
check-ledger-entry = Entry matches the consent
check-ledger-record = Entry is in the record
check-ledger-live = State in the live record
check-consent-decision = Purpose compared with the consent
