# The words of consent, for the interface and for what is signed or printed: rules, questions, states, reasons, terms.
#
# A gap such as { $topics } is filled with words: the terms below, days and lists. The same gap with `-code` behind its
# name holds what stood there before, so that a sentence can choose by it; an empty one is `none`.

## Lists and days

list-two = { $first } and { $last }
month = { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
}
date = { $day } { $month } { $year }

## Rules of a policy: grade 6 at most, sentences of 15 words at most

rule-nres = They may use it for anything.
rule-gru = They may use it for any kind of research.
rule-hmb = They may only use it for research on health or illness.
rule-ds = They may only use it for research on { $diseases }.
rule-poa = They may only use it to learn where people come from.
rule-rs = They may only use it for { $topics }.
rule-nmds = They may not use it just to build new methods.
rule-gso = They may only use it to study genes.
rule-npuncu = Only groups that don’t make a profit may use it. They may not use it to earn money.
rule-npu = Only groups that don’t make a profit may use it.
rule-ncu = They may not use it to earn money.
rule-pub = They must publish what they find.
rule-col = They must work with the people who collected it.
rule-irb = An ethics board must say yes first.
rule-gs = They may only use it in { $places }.
rule-mor = They must wait until { $date } to publish what they find.
rule-ts = { $months ->
    [one] They may use it for one month.
   *[other] They may use it for { $months } months.
}
rule-us = Only people on a fixed list may use it.
rule-ps = Only projects on a fixed list may use it.
rule-is = Only institutes on a fixed list may use it.
rule-rtn = They must give what they find back to the biobank.
rule-cc = Doctors may also use it to care for patients.
rule-npoa = They may not use it to study where your family comes from.
rule-nctrl = They may not compare people who have other illnesses with you.
rule-nagr = They may not show group results to everyone.
rule-nri = They may not try to find out who you are.
rule-nrl = They may not join it with other data about you.
rule-recipients = Only { $recipients } may use it.
rule-unknown = There is a rule that this wallet does not know. A person must look at it.
clause-data = They may use your { $data }.
clause-until = They may use it until { $date }.

## Questions to a participant, each with a word of help

question-controls = May they compare you with people who have some other illness?
question-controls-help = A study may also need people who are well.
question-aggregate = May they show group results to everyone?
question-aggregate-help = Such as how many people have asthma.
question-aiTraining = May they train AI models with your data?
question-aiTraining-help = The models may stay in use when the study ends.
question-population = May they study how groups of people differ?
question-population-help = For example, people from two parts of the world.
question-gender = May they study one sex or gender?
question-gender-help = For example, why more women than men get some illness.
question-age = May they study one age group?
question-age-help = For example, only people over 65.
question-pediatric = May they study the health of children?
question-pediatric-help = Your data can help to see how illness starts.
question-vulnerablePopulations = May they study people who need extra care?
question-vulnerablePopulations-help = For example, people who are too ill to decide.
question-illegalBehavior = May they study acts that break the law?
question-illegalBehavior-help = For example, the use of street drugs.
question-sexualDiseases = May they study sexual illness, or whom people love?
question-sexualDiseases-help = For example, HIV or how many people are gay.
question-psychologicalTraits = May they study how people think and feel?
question-psychologicalTraits-help = For example, mood or how well people learn.
question-notHealth = May they do research that is not about health?
question-notHealth-help = For example, on how people live or spend money.
question-stigmatizeDiseases = May they study illness that people look down on?
question-stigmatizeDiseases-help = For example, HIV or being hooked on drugs.
result-actionable = Do you want to hear of results that a doctor can act on?
result-actionable-help = For example, a risk that a check or a drug can lower.
result-nonActionable = Do you want to hear of results that nobody can act on yet?
result-nonActionable-help = For example, a risk for which there is no cure.
result-carrier = Do you want to hear what you could pass on to children?
result-carrier-help = You may carry an illness and stay well all your life.
result-raw = Do you want a copy of your raw data?
result-raw-help = It is a large file. Nobody has read it for you.
result-incidental = Do you want to hear of things they find by chance?
result-incidental-help = They were looking for something else.
result-family = May they tell your family what matters to them?
result-family-help = Some risks run in families.
contact-recontact = May they ask you more questions later?
contact-recontact-help = You can say no each time.
contact-newStudies = May they tell you about new studies?
contact-newStudies-help = You decide on each one.
contact-shareContact = May they give your contact details to researchers?
contact-shareContact-help = Then those people learn your name.
contact-notifyEachUse = Do you want a message each time your data are used?
contact-notifyEachUse-help = It may come often.
answer-yes = Yes
answer-no = No
answer-undecided = Not sure

## States of a consent

state-requested = Waiting for an answer
state-deferred = Put off until later
state-refused = You said no
state-active = In force
state-suspended = Paused
state-superseded = Replaced by a newer answer
state-expired = Over
state-withdrawnNoContact = Contact stopped
state-withdrawnNoAccess = Contact and new data stopped
state-withdrawn = All use stopped
state-withdrawnDestroySample = All use stopped, sample to be destroyed
state-revoked = Ended by the biobank, a board or a court
state-invalidated = Not valid

## What was signed, in the history of a consent

history-granted = You said yes.
history-changed = You changed your answer.
history-paused = { $date-code ->
    [none] You paused it until you say so.
   *[other] You paused it until { $date }.
}
history-resumed = You let it go on.
history-no-contact = You stopped contact.
history-no-access = You stopped contact and new data.
history-withdrew = You stopped all use.

## Levels of taking a consent back: what stops, what goes on, what nobody can undo

withdrawal-noContact = Stop contact only
withdrawal-noContact-text = Nobody will call you or write to you any more. They may go on using your data and samples. They may still get new data about you.
withdrawal-noAccess = Stop contact and new data
withdrawal-noAccess-text = Nobody will call you or write to you any more. They get no new data about you. They may go on using what they have.
withdrawal-noUse = Stop all use
withdrawal-noUse-text = They must stop using your data and samples from that day. Work already done can’t be undone. They keep the forms you signed, and safe copies may stay locked away.
withdrawal-destroySample = Stop all use and destroy my sample
withdrawal-destroySample-text = They must stop all use and destroy what is left of your sample. That, and work already done, can’t be undone. Parts sent to others may be too hard to find.

## What a change would do

effect-goesOn = Goes on
effect-goesOn-text = { $study } may go on as before.
effect-stops = Would stop
effect-stops-text = { $study } would have to stop.
effect-opens = Could begin
effect-opens-text = { $study } could begin to use your data.
effect-needsLook = Needs a look
effect-needsLook-text = A person would have to look at { $study }.
effect-staysOut = Stays out
effect-staysOut-text = { $study } may not use your data, as before.
direction-wider = Allows more
direction-narrower = Allows less
direction-other = Changes something else

## What a person signs

statement-title = Your answer to { $study } of { $organisation }
statement-version = Version { $version } of this text
statement-why = Why they ask: { $why }
statement-allow = You say yes to this:
statement-shared = You share your { $data }.
statement-kept = You keep your { $data }.
statement-until = They may use it until { $date }.
statement-open-end = They set no last day.
statement-ethics = An ethics board said yes: { $committee }, number { $number }.
statement-law = The law of this country holds: { $places }.
statement-collect = They may collect new data until { $date }.
statement-retain = They may keep the data until { $date }.
statement-grace = If you stop, the biobank has { $days } days to carry it out.
statement-text = The study tells you this in its own words:
statement-request = Mark of the whole request: { $mark }
statement-answer = { $question } You answered: { $answer }.
statement-risk = Your name is taken off first. There is still a small chance that someone could work out who you are.
statement-stop = You can stop at any time. They must stop using your data from that day. Work already done can’t be undone.
statement-care = Your care stays the same, whatever you answer.
statement-change = You change your answer to { $study }. It takes the place of the one before.
statement-pause = You pause { $study }. They may not use your data until you let it go on.
statement-pause-until = You pause { $study }. They may use your data again after { $date }.
statement-resume = You let { $study } go on. The same rules hold as before.
statement-withdraw = This is what you take back from { $study }:

## Reasons of a decision, for researchers

reason-withdrawn = The donor has withdrawn this consent.
reason-refused = The donor said no.
reason-not-given = The donor has not given this consent.
reason-paused = The donor has paused this consent.
reason-superseded = A later answer of the donor took the place of this consent.
reason-revoked = The biobank, an ethics board or a court ended this consent.
reason-invalidated = This consent is not valid.
reason-expired = { $policy-code ->
    [expired] The consent is over.
   *[other] The consent ended on { $policy }.
}
reason-not-yet = The consent begins on { $policy }.
reason-no-contact = The donor wants no contact any more. The data may be used as the consent says.
reason-no-access = The donor allows the data that are there already, and nothing new.
reason-unknown-term = { $policy-code ->
    [none] The purpose has a word that this version does not know, so a person has to look: “{ $purpose-code }”.
   *[other] The consent has a word that this version does not know, so a person has to look: “{ $policy-code }”.
}
reason-nothing-permitted = The consent permits nothing.
reason-no-topic = The purpose states no topic, so a person has to look.
reason-topic-covered = The consent covers { $purpose }.
reason-topic-not-covered = { $policy-code ->
    [none] The consent does not cover { $purpose }.
   *[other] The consent does not cover { $purpose }. It covers { $policy }.
}
reason-permissions-contradict = The consent permits { $policy }, which contradict each other. Whether { $purpose } is covered is for a person to say.
reason-topic-with-disease = The consent covers { $purpose } beside research on a disease that the donor named.
reason-topic-of-ancestry = The consent covers { $policy }. Whether that includes { $purpose } is for a person to say.
reason-no-disease = The purpose names no disease, so a person has to look.
reason-disease-covered = The donor allowed research on { $policy }, which covers { $purpose }.
reason-disease-not-covered = The donor allowed research on { $policy }. That does not cover { $purpose }.
reason-disease-unknown = The consent covers { $policy }. Whether that includes { $purpose } is for a person to say, as one of them is not a known disease.
reason-disease-retired = The consent covers { $policy }. Whether that includes { $purpose } is for a person to say, as one of the terms was retired.
reason-methods-on-disease-data = The data may be used for named diseases. Whether that includes { $purpose } is for a person to say.
reason-methods-with-disease = Methods are allowed beside research on a named disease.
reason-no-methods = The donor does not allow research on methods alone.
reason-controls-of-disease = The donor named this disease, so the data may be compared with those of others.
reason-answered-yes = The donor said yes to { $purpose }.
reason-answered-no = The donor said no to { $purpose }.
reason-answered-not-sure = The donor is not sure about { $purpose }, so a person has to look.
reason-not-answered = The donor did not answer about { $purpose }, so a person has to look.
reason-data-covered = The donor shares { $purpose }.
reason-data-not-shared = The donor does not share { $purpose }.
reason-no-data-stated = The purpose states no kind of data, so a person has to look.
reason-non-profit = Your organisation makes no profit, as the donor asked.
reason-for-profit = The donor allows only organisations that make no profit.
reason-profit-not-stated = The donor allows only organisations that make no profit. Yours does not say.
reason-not-commercial = The use is not commercial, as the donor asked.
reason-commercial = The donor does not allow commercial use.
reason-commercial-not-stated = The donor does not allow commercial use. The purpose does not say.
reason-recipient-allowed = The donor allows use by { $purpose }.
reason-recipient-not-allowed = The donor does not allow use by { $purpose }.
reason-recipient-not-stated = The donor allows only some kinds of organisation. Yours does not say what it is.
reason-place-allowed = The donor allows use in { $purpose }.
reason-place-not-allowed = The donor does not allow use in { $purpose }, only in { $policy }.
reason-no-place-stated = The donor allows use only in { $policy }. The purpose names no place.
reason-place-unknown = { $purpose-code ->
    [none] The consent names “{ $policy-code }”, which is not a known place, so a person has to look.
   *[other] The purpose names “{ $purpose-code }”, which is not a known place, so a person has to look.
}
reason-within-time = The consent has not run out.
reason-time-over = The consent ran out on { $policy }.
reason-issue-not-stated = The consent holds for some months, but does not say from when. A person has to look.
reason-after-moratorium = The donor allows publication from { $policy }. The purpose keeps to that.
reason-before-moratorium = The donor allows publication only from { $policy }. The purpose plans it for { $purpose }.
reason-publication-not-stated = The donor allows publication only from { $policy }. The purpose does not say when, so a person has to look.
reason-party-approved = The consent names { $purpose-code }.
reason-party-not-approved = The consent names who or what may use the data. { $purpose-code } is not among them.
reason-party-not-stated = { $policy-code ->
    [IS] The consent names the institutions that may use the data. The purpose names none, so a person has to look.
    [US] The consent names the people who may use the data. The purpose names none, so a person has to look.
   *[other] The consent names the projects that may use the data. The purpose names none, so a person has to look.
}
reason-party-unclear = { $purpose-code ->
    [IS] The consent names the institution “{ $policy-code }”, which is no identifier. A person has to look.
    [US] The consent names the person “{ $policy-code }”, which is no identifier. A person has to look.
    [PS] The consent names the project “{ $policy-code }”, which is no identifier. A person has to look.
   *[other] The purpose names “{ $purpose-code }”, which is no identifier. A person has to look.
}
reason-ethics-approved = The ethics approval { $purpose-code } is valid.
reason-ethics-expired = The ethics approval ran out on { $purpose }, so a person has to look.
reason-ethics-missing = The donor asks for approval by an ethics board. The purpose states none, so a person has to look.
reason-care-allowed = The donor allows use in the care of patients.
reason-care-not-allowed = The donor does not allow use in the care of patients.
reason-genetic-work = The work is on genes, as the donor asked.
reason-not-genetic = The donor allows only work on genes.
reason-genetic-not-stated = The donor allows only work on genes. The purpose does not say, so a person has to look.
reason-focus-matched = The donor allows { $purpose }, and the purpose is about that.
reason-focus-not-matched = The donor allows only { $purpose }. The purpose is not about that.
reason-focus-unclear = The donor allows only { $purpose }. Whether the purpose is about that is for a person to say.
reason-no-ancestry = The donor does not allow research on ancestry.
reason-no-identification = The donor does not allow { $purpose }.
reason-identification-unclear = The consent does not speak of { $purpose }, so a person has to look.

## Duties that a permit carries, for researchers

duty-PUB = Publish the results.
duty-COL = Work together with the people who collected the data.
duty-IRB = Keep the ethics approval valid for as long as you use the data.
duty-RTN = Return the results to the biobank.
duty-NRI = Do not try to find out who the donor is.
duty-NRL = Do not join the data with other data about the donor.
duty-NPOA = Do no research on where people come from.
duty-NMDS = Do no research that only builds methods.
duty-no-contact = Do not contact the donor.
duty-existing-data-only = Use only the data that are there already. Collect nothing new.

## Terms inside sentences
# The two-letter codes of modifiers are not here: GS, IS, PS, RS, CC and US are countries too.

term-NRES = any use
term-GRU = any kind of research
term-HMB = research on health or illness
term-DS = research on named diseases
term-DS-of = research on { $diseases }
term-POA = research on where people come from
term-methods = building new methods
term-controls = comparing people who are ill with others
term-aggregate = showing group results to everyone
term-genetic = research on genes
term-drugDevelopment = making new drugs
term-clinicalCare = the care of patients
term-aiTraining = training AI models
term-reidentification = finding out who the donor is
term-relinking = joining it with the donor’s other data
term-population = research on how groups of people differ
term-age = research on one age group
term-gender = research on one sex or gender
term-pediatric = research on children
term-vulnerablePopulations = research on people who need extra care
term-illegalBehavior = research on acts that break the law
term-sexualDiseases = research on sexual illness or whom people love
term-psychologicalTraits = research on how people think and feel
term-notHealth = research that is not about health
term-stigmatizeDiseases = research on illness that people look down on
term-female = research on women and girls
term-male = research on men and boys
term-yes = yes
term-no = no
term-undecided = not sure
term-genome = DNA data
term-healthRecord = health records
term-survey = survey answers
term-sample = samples
term-imaging = scans
term-device = device data
term-nonProfit = non-profit groups
term-academic = public research centres
term-government = the government
term-commercial = companies
term-actionable = results that a doctor can act on
term-nonActionable = results that nobody can act on yet
term-carrier = what could be passed on to children
term-raw = raw data
term-incidental = things found by chance
term-family = what matters to the family
term-recontact = more questions
term-newStudies = new studies
term-shareContact = passing contact details on
term-notifyEachUse = a message at each use
term-requested = waiting for an answer
term-deferred = put off
term-refused = refused
term-active = in force
term-suspended = paused
term-superseded = replaced
term-expired = over
term-withdrawnNoContact = taken back for contact
term-withdrawnNoAccess = taken back for contact and new data
term-withdrawn = taken back
term-withdrawnDestroySample = taken back, with the sample to be destroyed
term-revoked = ended by the biobank, a board or a court
term-invalidated = not valid
term-noContact = no contact
term-noAccess = no contact and no new data
term-noUse = no use
term-destroySample = no use and no sample kept
term-unknown = a term that is not known here

## Terms as labels

topic-GRU = General research
topic-HMB = Health and illness
topic-DS = Named diseases
topic-POA = Ancestry and origins
topic-methods = Methods
topic-controls = Comparison group
topic-aggregate = Group results for all
topic-genetic = Genes
topic-drugDevelopment = New drugs
topic-clinicalCare = Care of patients
topic-aiTraining = Training AI models
topic-reidentification = Finding out who a donor is
topic-relinking = Joining with other data
topic-population = How groups of people differ
topic-age = One age group
topic-gender = One sex or gender
topic-pediatric = Children
flag-controls = Comparison group
flag-population = How groups of people differ
flag-gender = One sex or gender
flag-pediatric = Children
flag-vulnerablePopulations = People who need extra care
flag-illegalBehavior = Acts that break the law
flag-sexualDiseases = Sexual illness, and whom people love
flag-psychologicalTraits = How people think and feel
flag-notHealth = Not about health
flag-stigmatizeDiseases = Illness that people look down on
flag-age = One age group
flag-female = Women and girls
flag-male = Men and boys
data-genome = DNA data
data-healthRecord = Health record
data-survey = Survey answers
data-sample = Samples
data-imaging = Scans
data-device = Device data
recipient-nonProfit = Charities and other non-profit groups
recipient-academic = Universities and public research hospitals
recipient-government = The government
recipient-commercial = Companies
place-NL = Netherlands
place-BE = Belgium
place-DE = Germany
place-FR = France
place-LU = Luxembourg
place-US = United States
place-EU = European Union

## Places inside sentences (ISO 3166-1, and two groups of countries)

term-EU = the European Union
term-EEA = the European Economic Area
term-AD = Andorra
term-AE = the United Arab Emirates
term-AF = Afghanistan
term-AG = Antigua and Barbuda
term-AI = Anguilla
term-AL = Albania
term-AM = Armenia
term-AO = Angola
term-AQ = Antarctica
term-AR = Argentina
term-AS = American Samoa
term-AT = Austria
term-AU = Australia
term-AW = Aruba
term-AX = the Åland Islands
term-AZ = Azerbaijan
term-BA = Bosnia and Herzegovina
term-BB = Barbados
term-BD = Bangladesh
term-BE = Belgium
term-BF = Burkina Faso
term-BG = Bulgaria
term-BH = Bahrain
term-BI = Burundi
term-BJ = Benin
term-BL = Saint Barthélemy
term-BM = Bermuda
term-BN = Brunei
term-BO = Bolivia
term-BQ = Bonaire, Sint Eustatius and Saba
term-BR = Brazil
term-BS = the Bahamas
term-BT = Bhutan
term-BV = Bouvet Island
term-BW = Botswana
term-BY = Belarus
term-BZ = Belize
term-CA = Canada
term-CC = the Cocos Islands
term-CD = the Democratic Republic of the Congo
term-CF = the Central African Republic
term-CG = the Republic of the Congo
term-CH = Switzerland
term-CI = Côte d’Ivoire
term-CK = the Cook Islands
term-CL = Chile
term-CM = Cameroon
term-CN = China
term-CO = Colombia
term-CR = Costa Rica
term-CU = Cuba
term-CV = Cabo Verde
term-CW = Curaçao
term-CX = Christmas Island
term-CY = Cyprus
term-CZ = Czechia
term-DE = Germany
term-DJ = Djibouti
term-DK = Denmark
term-DM = Dominica
term-DO = the Dominican Republic
term-DZ = Algeria
term-EC = Ecuador
term-EE = Estonia
term-EG = Egypt
term-EH = Western Sahara
term-ER = Eritrea
term-ES = Spain
term-ET = Ethiopia
term-FI = Finland
term-FJ = Fiji
term-FK = the Falkland Islands
term-FM = Micronesia
term-FO = the Faroe Islands
term-FR = France
term-GA = Gabon
term-GB = the United Kingdom
term-GD = Grenada
term-GE = Georgia
term-GF = French Guiana
term-GG = Guernsey
term-GH = Ghana
term-GI = Gibraltar
term-GL = Greenland
term-GM = the Gambia
term-GN = Guinea
term-GP = Guadeloupe
term-GQ = Equatorial Guinea
term-GR = Greece
term-GS = South Georgia and the South Sandwich Islands
term-GT = Guatemala
term-GU = Guam
term-GW = Guinea-Bissau
term-GY = Guyana
term-HK = Hong Kong
term-HM = Heard Island and the McDonald Islands
term-HN = Honduras
term-HR = Croatia
term-HT = Haiti
term-HU = Hungary
term-ID = Indonesia
term-IE = Ireland
term-IL = Israel
term-IM = the Isle of Man
term-IN = India
term-IO = the British Indian Ocean Territory
term-IQ = Iraq
term-IR = Iran
term-IS = Iceland
term-IT = Italy
term-JE = Jersey
term-JM = Jamaica
term-JO = Jordan
term-JP = Japan
term-KE = Kenya
term-KG = Kyrgyzstan
term-KH = Cambodia
term-KI = Kiribati
term-KM = the Comoros
term-KN = Saint Kitts and Nevis
term-KP = North Korea
term-KR = South Korea
term-KW = Kuwait
term-KY = the Cayman Islands
term-KZ = Kazakhstan
term-LA = Laos
term-LB = Lebanon
term-LC = Saint Lucia
term-LI = Liechtenstein
term-LK = Sri Lanka
term-LR = Liberia
term-LS = Lesotho
term-LT = Lithuania
term-LU = Luxembourg
term-LV = Latvia
term-LY = Libya
term-MA = Morocco
term-MC = Monaco
term-MD = Moldova
term-ME = Montenegro
term-MF = Saint Martin (French part)
term-MG = Madagascar
term-MH = the Marshall Islands
term-MK = North Macedonia
term-ML = Mali
term-MM = Myanmar
term-MN = Mongolia
term-MO = Macao
term-MP = the Northern Mariana Islands
term-MQ = Martinique
term-MR = Mauritania
term-MS = Montserrat
term-MT = Malta
term-MU = Mauritius
term-MV = the Maldives
term-MW = Malawi
term-MX = Mexico
term-MY = Malaysia
term-MZ = Mozambique
term-NA = Namibia
term-NC = New Caledonia
term-NE = Niger
term-NF = Norfolk Island
term-NG = Nigeria
term-NI = Nicaragua
term-NL = the Netherlands
term-NO = Norway
term-NP = Nepal
term-NR = Nauru
term-NU = Niue
term-NZ = New Zealand
term-OM = Oman
term-PA = Panama
term-PE = Peru
term-PF = French Polynesia
term-PG = Papua New Guinea
term-PH = the Philippines
term-PK = Pakistan
term-PL = Poland
term-PM = Saint Pierre and Miquelon
term-PN = the Pitcairn Islands
term-PR = Puerto Rico
term-PS = Palestine
term-PT = Portugal
term-PW = Palau
term-PY = Paraguay
term-QA = Qatar
term-RE = Réunion
term-RO = Romania
term-RS = Serbia
term-RU = Russia
term-RW = Rwanda
term-SA = Saudi Arabia
term-SB = the Solomon Islands
term-SC = the Seychelles
term-SD = Sudan
term-SE = Sweden
term-SG = Singapore
term-SH = Saint Helena, Ascension and Tristan da Cunha
term-SI = Slovenia
term-SJ = Svalbard and Jan Mayen
term-SK = Slovakia
term-SL = Sierra Leone
term-SM = San Marino
term-SN = Senegal
term-SO = Somalia
term-SR = Suriname
term-SS = South Sudan
term-ST = São Tomé and Príncipe
term-SV = El Salvador
term-SX = Sint Maarten (Dutch part)
term-SY = Syria
term-SZ = Eswatini
term-TC = the Turks and Caicos Islands
term-TD = Chad
term-TF = the French Southern Territories
term-TG = Togo
term-TH = Thailand
term-TJ = Tajikistan
term-TK = Tokelau
term-TL = Timor-Leste
term-TM = Turkmenistan
term-TN = Tunisia
term-TO = Tonga
term-TR = Türkiye
term-TT = Trinidad and Tobago
term-TV = Tuvalu
term-TW = Taiwan
term-TZ = Tanzania
term-UA = Ukraine
term-UG = Uganda
term-UM = the United States Minor Outlying Islands
term-US = the United States
term-UY = Uruguay
term-UZ = Uzbekistan
term-VA = the Holy See
term-VC = Saint Vincent and the Grenadines
term-VE = Venezuela
term-VG = the British Virgin Islands
term-VI = the United States Virgin Islands
term-VN = Vietnam
term-VU = Vanuatu
term-WF = Wallis and Futuna
term-WS = Samoa
term-YE = Yemen
term-YT = Mayotte
term-ZA = South Africa
term-ZM = Zambia
term-ZW = Zimbabwe
