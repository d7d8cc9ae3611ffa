# What a participant would allow in general, and the parts for answers, search and days that other screens use too.

choices-title = My choices
choices-lead = Your choices help you. They do not say yes to any study.
choices-parts = Parts of your choices
choices-part-count = { $answered } of { $all }
choices-part-count-spoken = { $answered } of { $all } answered
choices-next = Next: { $part }
choices-previous = Back: { $part }

## The parts

choices-purpose = What for
choices-purpose-title = What may they study?
choices-purpose-lead = “Not sure” is an answer too. Then you look at each study when it asks.
choices-who = Who
choices-who-title = Who may use your data?
choices-who-lead = Each study must say who it is.
choices-what = What
choices-what-title = What may they use?
choices-what-lead = A study still has to ask you for each of these.
choices-where = Where
choices-where-title = Where may they use it?
choices-where-lead = Laws on data are not the same in each country.
choices-questions = Questions
choices-questions-title = Some more questions
choices-questions-lead = You don’t have to answer each one.
choices-results = Results
choices-results-title = What do you want to hear of?
choices-results-lead = A study may find things about you. Some people want to know, some do not.
choices-contact = Contact
choices-contact-title = May they get in touch?
choices-contact-lead = You can change this on any day.

## What for

choices-scope = What kind of research may they do?
choices-scope-any = Any kind of research
choices-scope-any-help = For example, on health, on history or on how people live.
choices-scope-health = Only research on health or illness
choices-scope-health-help = For example, why some hearts beat out of step.
choices-scope-some = Only research on illness that I name
choices-scope-some-help = You name each one below.
choices-scope-ancestry = Only research on where people come from
choices-scope-ancestry-help = You said so before, or it was in your file.
choices-scope-unsure = Not sure
choices-scope-unsure-help = You look at each study when it asks.
choices-diseases = Find an illness
choices-diseases-hint = Type a part of its name. Kinds of it count too.
choices-diseases-missing = Please name one illness, or choose another answer.
choices-ancestry = May they study where your family comes from?
choices-ancestry-help = For example, from which part of the world.
choices-methods = May they use your data just to build new methods?
choices-methods-help = For example, a better way to read DNA.
choices-commercial = May they use your data to earn money?
choices-commercial-help = For example, to make and sell a new drug.

## Where

choices-place = In which places may they use it?
choices-place-anywhere = Anywhere
choices-place-anywhere-help = In any part of the world.
choices-place-only = Only in places that I name
choices-place-only-help = You name each one below.
choices-place-unsure = Not sure
choices-place-unsure-help = You look at each study when it asks.
choices-places = Find a country
choices-places-hint = Type a part of its name.
choices-places-missing = Please name one place, or choose another answer.
choices-places-chosen = Places that you named
choices-places-often = Often named

## Questions

choices-delicate = { $count ->
    [one] 1 more question, on things that are hard to talk about
   *[other] { $count } more questions, on things that are hard to talk about
}

## What the choices mean

choices-meaning = What this means for studies
choices-meaning-count = { $all ->
    [0] No study runs or asks now.
    [one] { $fits ->
        [0] One study runs or asks. It does not fit yet.
       *[other] One study runs or asks. It fits.
    }
   *[other] { $fits } of { $all } studies fit.
}
choices-meaning-empty = When one does, you see here if it fits.
choices-meaning-note = Nothing starts or stops by this. You answer each study.
choices-effect-goesOn = Fits
choices-effect-opens = Fits now
choices-effect-stops = No longer fits
choices-effect-needsLook = Needs a look
choices-effect-staysOut = Does not fit
choices-differences = What is new in your choices
choices-differences-none = You have not changed a rule yet.
choices-was = Before: { $text }
choices-is = Now: { $text }
choices-gone = No longer: { $text }
choices-came = New: { $text }
choices-answered = { $question } { $answer }

## Saving

choices-save = Save my choices
choices-undo = Undo changes
choices-saving = Saving your choices
choices-unsaved = Not saved yet.
choices-saved = Saved { $when }.
choices-never = You have not saved any choices yet.
choices-undone = Your changes are gone. This is what you saved.

## Answers from another system

choices-import = Bring in answers you gave elsewhere
choices-import-lead = You may have answered such questions before. We read a CTRL or FHIR file.
choices-import-file = The file
choices-import-text = Or paste its text here
choices-import-button = Read the answers
choices-import-missing = Please choose a file, or paste its text.
choices-import-unreadable = We could not open this file. Please try another one.
choices-import-read = { $count ->
    [0] We found no answer that fits here.
    [one] We read 1 answer. It is in the form now, but not saved yet.
   *[other] We read { $count } answers. They are in the form now, but not saved yet.
}
choices-import-left-out = { $count ->
    [one] We could not take over 1 thing. Please look at it yourself:
   *[other] We could not take over { $count } things. Please look at them yourself:
}

## Search

search-count = { $count ->
    [0] Nothing found. Try another word.
    [one] 1 found
   *[other] { $count } found
}
search-chosen = On your list
search-also = Also called { $name }
search-added = { $name } is on your list.
search-removed = { $name } is off your list.
search-remove = Remove { $name }
search-full = { $count } is the most that you can name.
search-diseases-chosen = Illness that you named

## Days

date-day = Day
date-month = Month
date-year = Year
date-wrong = There is no such day.
date-early = Please choose { $date } or a later day.
date-late = Please choose { $date } or an earlier day.
