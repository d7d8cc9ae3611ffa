# Words for the staff of a biobank.

nav-donors = Donors
donors-title = Donors
donors-lead-joined = { $joined ->
    [one] 1 donor has joined
   *[other] { $joined } donors have joined
}, { $open ->
    [one] 1 invitation is open.
   *[other] { $open } invitations are open.
}
donors-table = Donors and invitations
donors-donor = Donor
donors-state = State
donors-invited = Invited
donors-joined = Joined
donors-consents = Consents
donors-until = Valid until
donors-not-yet = not yet
donors-none = none
donors-consents-live = { $live } in force
donors-consents-both = { $live } in force, { $withdrawn } withdrawn
donors-state-sent = Invitation sent
donors-state-accepted = Joined
donors-state-expired = Expired
donors-empty-title = No donors yet
donors-empty-text = Invite the first donor. You will see here when they join.
donors-privacy = Donors appear under a number. This list holds no names, and no link to their keys for studies.
donors-invite = Invite a donor

invitation-title = Invitation for donor { $donor }
invitation-lead = Give the donor one of these three. They all open the same invitation.
invitation-once = Used once. Valid until { $date }.
invitation-qr = Scan
invitation-qr-alt = QR code with the invitation link
invitation-link = Link
invitation-code = Code
invitation-code-hint = To be typed together with the address { $address }.
invitation-shown-once = The code is kept nowhere. When you leave this page, it is gone.
invitation-done = Back to donors
invitation-another = Invite another donor
