# One pair a code: `err-…` says what happened, `rec-…` what you can do.

err-offline = The biobank did not answer.
rec-offline = Check your connection, then try again. Nothing is lost.
err-server-refused = The biobank’s answer could not be used.
rec-server-refused = Try again later. If it stays like this, ask the biobank.
err-too-many-tries = There were too many tries in a short time.
rec-too-many-tries = Wait a few minutes, then try again.
err-keychain-absent = The keychain of your computer is not running.
rec-keychain-absent = Start it, or log in to your computer again. Then try again.
err-keychain-locked = The keychain of your computer is locked.
rec-keychain-locked = Try again, and type its password when your computer asks.
err-key-missing = The key of this wallet is not in the keychain.
rec-key-missing = Bring back the keychain from a backup, then try again.
err-key-foreign = The key in the keychain belongs to another wallet.
rec-key-foreign = Bring back the folder or the keychain that belong together.
err-invitation-unreadable = This is not an invitation.
rec-invitation-unreadable = Copy the whole link, or type all eight signs of the code.
err-invitation-unknown = The biobank does not know this invitation.
rec-invitation-unknown = Check the code and the address. Or ask the biobank for a new one.
err-invitation-used = This invitation was used before.
rec-invitation-used = If that was not you, tell the biobank. Ask it for a new one.
err-invitation-expired = This invitation is too old.
rec-invitation-expired = Ask the biobank for a new one.
err-address-not-allowed = The wallet may not talk to this address.
rec-address-not-allowed = Use an address that starts with https.
err-not-valid = { $check ->
    [none] Something did not pass our checks.
   *[other] A check did not pass: { $check }.
}
rec-not-valid = We stopped here to keep you safe. Ask the biobank about it.
err-log-forked = The biobank’s record does not match what this computer saw before.
rec-log-forked = Do not rely on it. Tell the biobank, and keep this computer as it is.
err-nothing-chosen = Nothing is chosen yet.
rec-nothing-chosen = Tick at least one kind of data, or say no.
err-not-possible = This step is not possible now.
rec-not-possible = Go back and look at the newest state.
err-request-changed = This study has just changed its request.
rec-request-changed = Read the new text, then choose again.
err-study-unknown = This study is not known here.
rec-study-unknown = Go back. The study may have ended.
err-proof-unreadable = This is not a proof of consent.
rec-proof-unreadable = Ask the donor to save the proof again, and send the whole file.
err-import-unreadable = This file holds no answers that can be read.
rec-import-unreadable = Ask the other system for its answers as JSON, a table, or FHIR.
err-too-large = The file is too large.
rec-too-large = It should be a small text file. Choose another file.
err-not-connected = This profile is not connected to a biobank.
rec-not-connected = Connect it first.
err-code-wrong = The one-time code is wrong or was used before.
rec-code-wrong = Check the code, or ask for a new one.
err-storage = The wallet could not read or write its own files.
rec-storage = Check that the disk is not full, then try again.
err-already-open = The wallet is already open in another window.
rec-already-open = Close the other window, then try again.
err-internal = Something went wrong inside the wallet.
rec-internal = Try again. If it happens again, close the wallet and open it.
