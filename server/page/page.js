// Sends a document to the service that served this page, and says what each check found. All that comes from a document
// or from the service is put in as text, never as markup.

const MAX_BYTES = 990_000;

// Of each check: what it is called, and what it means that it passed.
const WORDS = {
  'size': ['Size', 'It is not too long to be read.'],
  'json': ['Form', 'Every reader reads the same in it.'],
  'context': ['Data model', 'It says which model it follows, and in known words only.'],
  'type': ['Kind', 'It says what kind of document it is.'],
  'id': ['Name', 'Its own name, if it has one, is an address.'],
  'issuer': ['Issuer', 'It names who issued it.'],
  'holder': ['Holder', 'It names who presents it, or nobody.'],
  'subject': ['Subject', 'It says something about somebody.'],
  'members': ['Parts', 'All parts have the form that they must have.'],
  'terms': ['Meaning', 'Every word in it has a meaning, and that meaning is signed.'],
  'credentials': ['Credentials', 'Every credential in it passed its own checks.'],
  'valid-from': ['Begin', 'It is valid already.'],
  'valid-until': ['End', 'It is still valid.'],
  'proof-count': ['Signed', 'It carries a proof.'],
  'proof-shape': ['Proof', 'The proof has the form that it must have.'],
  'suite': ['Strength', 'The proof was made in a way that is good enough.'],
  'purpose': ['Purpose', 'The proof was made for this purpose.'],
  'created': ['Made', 'The proof was not made in the future.'],
  'expires': ['Lasting', 'The proof is not over.'],
  'freshness': ['Fresh', 'The proof is new enough.'],
  'challenge': ['Answer', 'It answers your question, or nobody\u2019s.'],
  'audience': ['Addressed', 'It is addressed to you, or to nobody.'],
  'previous-proof': ['Chain', 'No proof that it builds on is missing.'],
  'resolution': ['Key', 'The key of the signature is known.'],
  'signer-is-issuer': ['Signer', 'The key belongs to whom the document names.'],
  'signature': ['Unchanged', 'Nothing was changed since it was signed.'],
  'schema': ['Schema', 'It keeps to the schema that it names, or names none.'],
  'status': ['Not taken back', 'It was not taken back or suspended, or says nothing of that.'],
  'trust': ['Trusted issuer', 'The issuer may issue this.'],
};

// How a result looks, and in which order results are shown.
const RESULTS = {
  'failed': ['stop', '\u2715 Failed'],
  'not-made': ['wait', '? Not checked'],
  'waived': ['off', '\u2013 Not asked'],
  'passed': ['ok', '\u2713 Passed'],
};

const byId = id => document.getElementById(id);

function part(tag, text, kind) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

// Characters that turn the direction of writing around, or take no room, could make a name look like another one.
function plain(value) {
  const text = typeof value === 'string' ? value : '';
  const shown = text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, sign => `[U+${sign.codePointAt(0).toString(16).toUpperCase()}]`);
  return shown.length > 300 ? `${shown.slice(0, 300)}\u2026` : shown;
}

function sentence(text) {
  return text && text[0].toUpperCase() + text.slice(1);
}

function row(check) {
  const [title, meaning] = WORDS[check.name] ?? [plain(check.name), ''];
  const [kind, label] = RESULTS[check.result] ?? RESULTS['not-made'];
  const item = part('li');
  const words = part('div');
  words.append(part('strong', title));
  const open = check.result === 'not-made' && !check.detail;
  const reason = open ? 'An earlier failure left nothing to look at.' : sentence(plain(check.detail));
  words.append(part('p', check.result === 'passed' ? meaning : reason));
  if (check.result !== 'passed' && meaning) words.append(part('p', `It would mean: ${meaning}`, 'soft'));
  if (check.evidence) words.append(part('p', `Known from: ${plain(check.evidence)}`, 'soft'));
  item.append(part('span', label, `state ${kind}`), words);
  return item;
}

function checks(list) {
  const order = Object.keys(RESULTS);
  const shown = part('ul');
  const sorted = [...list].sort((a, b) => order.indexOf(a.result) - order.indexOf(b.result));
  shown.append(...sorted.map(row));
  return shown;
}

// What the document says of itself. It is only a claim until every check passed.
function facts(said) {
  const named = value => plain(typeof value === 'object' && value ? value.id ?? value.name : value);
  const several = value => [value].flat().filter(one => typeof one === 'string').map(plain).join(', ');
  const list = part('dl');
  for (const [name, text] of [
    ['Kind', several(said.type)],
    ['Issued by', named(said.issuer)],
    ['Presented by', named(said.holder)],
    ['About', named([said.credentialSubject].flat()[0])],
    ['Valid until', plain(said.validUntil ?? said.expirationDate)],
  ]) {
    if (text) list.append(part('dt', name), part('dd', text));
  }
  return list;
}

function verdict(good, title, words) {
  const box = part('div', undefined, `verdict ${good ? 'ok' : 'stop'}`);
  const heading = part('h2', title);
  heading.tabIndex = -1;
  box.append(heading, part('p', words));
  return box;
}

function show(...parts) {
  const result = byId('result');
  result.replaceChildren(...parts);
  result.hidden = false;
  result.querySelector('h2').focus();
}

function refuse(words) {
  show(verdict(false, 'Could not check', words));
}

function report(said, answer) {
  const open = answer.checks.some(check => check.result === 'waived');
  const box = answer.verified === true
    ? verdict(true, 'Valid', open ? 'Every check passed that was asked for. Some were not; see below.' : 'Every check passed.')
    : verdict(false, 'Not valid', 'Do not rely on it. The checks below say why.');
  const card = part('div', undefined, 'card');
  card.append(part('h3', answer.verified === true ? 'What it says' : 'What it claims'), facts(said));
  card.append(part('h3', 'Every check'), checks(answer.checks));
  const held = [said.verifiableCredential].flat();
  (answer.credentials ?? []).forEach((one, at) => {
    card.append(part('h3', `Credential ${at + 1}: ${one.verified === true ? 'valid' : 'not valid'}`));
    card.append(facts(held[at] ?? {}), checks(one.checks));
  });
  show(box, card);
}

async function check(text) {
  if (new TextEncoder().encode(text).length > MAX_BYTES) return refuse('It is longer than this service reads.');
  let said;
  try {
    said = JSON.parse(text);
  } catch {
    return refuse('It is not JSON. Choose the file as you got it, or paste all of its text.');
  }
  if (typeof said !== 'object' || said === null || Array.isArray(said)) return refuse('It is not a credential: JSON, but no object.');
  const presents = [said.type].flat().includes('VerifiablePresentation');
  const [path, name] = presents
    ? ['/presentations/verify', 'verifiablePresentation'] : ['/credentials/verify', 'verifiableCredential'];
  const options = {};
  for (const id of ['challenge', 'domain']) if (byId(id).value) options[id] = byId(id).value;
  if (byId('status').checked) options.waive = ['status'];
  // The text as it came, so that the service sees what a parser here would already have smoothed over.
  const body = `{"${name}":${text},"options":${JSON.stringify(options)}}`;
  byId('check').disabled = true;
  try {
    const answer = await fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    const found = await answer.json();
    if (Array.isArray(found.checks)) report(said, found);
    else refuse(plain(`${found.title ?? ''} ${found.detail ?? ''}`));
  } catch {
    refuse('The service does not answer.');
  } finally {
    byId('check').disabled = false;
  }
}

async function take(file) {
  if (!file) return;
  if (file.size > MAX_BYTES) return refuse('The file is longer than this service reads.');
  byId('text').value = await file.text();
  await check(byId('text').value);
}

byId('form').addEventListener('submit', event => {
  event.preventDefault();
  const text = byId('text').value.trim();
  if (text) check(text);
  else refuse('There is nothing to check yet: choose a file or paste its text.');
});
byId('file').addEventListener('change', event => take(event.target.files[0]));
for (const name of ['dragenter', 'dragover', 'dragleave', 'drop']) {
  // Also beside the field: a file that is dropped must never replace the page.
  window.addEventListener(name, event => {
    event.preventDefault();
    byId('drop').classList.toggle('over', name === 'dragenter' || name === 'dragover');
  });
}
window.addEventListener('drop', event => take(event.dataTransfer?.files[0]));
