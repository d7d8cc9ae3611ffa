# Rules of a policy as sentences, reasons of a decision, and the names of terms.

rule-nres = They may use it for anything.
rule-gru = They may use it for any kind of research.
rule-hmb = They may only use it for research on health or illness.
rule-ds = They may only use it for research on { $diseases }.
rule-poa = They may only use it to learn where people come from.
rule-npu = Only groups that don’t make a profit may use it.
rule-ncu = They may not use it to earn money.
rule-nmds = They may not use it just to build new methods.
rule-npoa = They may not use it to study where your family comes from.
rule-gs = They may only use it in { $places }.
rule-irb = An ethics board must say yes first.
rule-pub = They must publish what they find.
rule-rtn = They must give what they find back to the biobank.
rule-unknown = There is a rule that this wallet does not know. A person must look at it.

## Reasons

reason-withdrawn = The donor has withdrawn this consent.
reason-refused = The donor said no.
reason-not-given = The donor has not given this consent.
reason-expired = The consent ended on { $policy }.
reason-nothing-permitted = The consent permits nothing.
reason-no-topic = The purpose states no topic, so a person has to look.
reason-topic-covered = The consent covers { $purpose }.
reason-topic-not-covered = The consent does not cover { $purpose }. It covers { $policy }.
reason-methods-on-disease-data = The data may be used for named diseases. Whether that includes { $purpose } is for a person to say.
reason-no-disease = The purpose names no disease, so a person has to look.
reason-disease-covered = The donor allowed research on { $purpose }.
reason-disease-unknown = The donor allowed research on { $policy }. Whether { $purpose } is a kind of it is for a person to say.
reason-unknown-term = There is a term that this version does not know, so a person has to look.
reason-no-data-stated = The purpose states no kind of data, so a person has to look.
reason-data-covered = The donor shares { $purpose }.
reason-data-not-shared = The donor does not share { $purpose }.
reason-non-profit = Your organisation makes no profit, as the donor asked.
reason-for-profit = The donor allows only organisations that make no profit.
reason-profit-not-stated = The donor allows only organisations that make no profit. Yours does not say.
reason-not-commercial = The use is not commercial, as the donor asked.
reason-commercial = The donor does not allow commercial use.
reason-commercial-not-stated = The donor does not allow commercial use. The purpose does not say.
reason-methods-with-disease = Methods are allowed beside research on a named disease.
reason-no-methods = The donor does not allow research on methods alone.
reason-no-ancestry = The donor does not allow research on ancestry.
reason-no-place-stated = The donor allows use only in { $policy }. The purpose names no place.
reason-place-allowed = The donor allows use in { $purpose }.
reason-place-not-allowed = The donor does not allow use in { $purpose }, only in { $policy }.
reason-ethics-approved = The ethics approval { $purpose } is valid.
reason-ethics-expired = The ethics approval ran out on { $purpose }.
reason-ethics-missing = The donor asks for approval by an ethics board. The purpose states none.

## Duties

duty-PUB = Publish the results.
duty-RTN = Return the results to the biobank.
duty-IRB = Keep the ethics approval valid for as long as you use the data.

## Terms inside sentences

term-NRES = any use
term-GRU = any kind of research
term-HMB = research on health or illness
term-DS = research on named diseases
term-DS-of = research on { $diseases }
term-POA = research on where people come from
term-methods = building new methods
term-unknown = a term that is not known here
term-genome = DNA data
term-healthRecord = health records
term-survey = survey answers
term-sample = samples
term-imaging = scans
term-device = device data
term-NL = the Netherlands
term-BE = Belgium
term-DE = Germany
term-FR = France
term-LU = Luxembourg
term-US = the United States
term-EU = the European Union
term-MONDO-0005015 = diabetes
term-MONDO-0004992 = cancer

## Terms as labels

topic-GRU = General research
topic-HMB = Health and illness
topic-DS = Named diseases
topic-POA = Ancestry and origins
topic-methods = Methods
data-genome = DNA data
data-healthRecord = Health record
data-survey = Survey answers
data-sample = Samples
data-imaging = Scans
data-device = Device data
place-NL = Netherlands
place-BE = Belgium
place-DE = Germany
place-FR = France
place-LU = Luxembourg
place-US = United States
place-EU = European Union
