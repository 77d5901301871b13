// What people read, in English and Portuguese. {name} is filled in. Texts that only developers see
// (library errors, logs) stay English.

const TEXTS = {
  ready: ['ready', 'pronto'],
  notReady: ['not ready', 'não está pronto'],
  stored: ['stored at {index} ({mode})', 'guardada em {index} ({mode})'],
  storedLines: [
    '{count} messages stored, the last at {index} ({mode})',
    '{count} mensagens guardadas, a última em {index} ({mode})',
  ],
  byEndToEnd: ['end to end', 'ponta a ponta'],
  byService: ['the service can read it', 'o serviço pode lê-la'],
  modeEndToEnd: [
    'mailbox of {name}: end to end; only you can read it',
    'caixa de {name}: ponta a ponta; só você a pode ler',
  ],
  modeService: [
    'mailbox of {name}: its keys are with the service, which can read it',
    'caixa de {name}: as chaves estão no serviço, que a pode ler',
  ],
  heldByClient: ['held here alone', 'só existe aqui'],
  heldByService: ['held by the service', 'guardada pelo serviço'],
  keysFirst: [
    'keys of {name} seen for the first time: {fingerprint}. Compare it by another way: troca keys fingerprint {name}',
    'chaves de {name} vistas pela primeira vez: {fingerprint}. Compare por outra via: troca keys fingerprint {name}',
  ],
  keysOfService: [
    'the service holds the keys of {name}: it can read what is sent there',
    'o serviço guarda as chaves de {name}: pode ler o que para lá se envia',
  ],
  keysRotated: [
    '{name} has new keys, and the known ones vouch for them: {fingerprint}',
    '{name} tem chaves novas, e as conhecidas respondem por elas: {fingerprint}',
  ],
  keysChanged: [
    'the service has another key for {name}, whose keys it holds: {fingerprint}, before {before}',
    'o serviço tem outra chave para {name}, cujas chaves guarda: {fingerprint}, antes {before}',
  ],
  keysUntrusted: [
    'WARNING: THE KEYS OF {name} HAVE CHANGED and nobody known vouches for the new ones.\n  known: {before}\n  now:   {fingerprint}\nSomebody may be reading along. Nothing is sent until you have compared fingerprints with {name} by another way.',
    'AVISO: AS CHAVES DE {name} MUDARAM e ninguém conhecido responde pelas novas.\n  conhecida: {before}\n  agora:     {fingerprint}\nAlguém pode estar a ler. Nada é enviado até comparar as impressões digitais com {name} por outra via.',
  ],
  keysTrusted: [
    'the keys of {name} are trusted: {fingerprint}',
    'as chaves de {name} são de confiança: {fingerprint}',
  ],
  keyFileAt: [
    'the private keys are in {path} alone, under your password: keep a copy; without it nothing can be read',
    'as chaves privadas só existem em {path}, sob a sua palavra-passe: guarde uma cópia; sem ela nada se lê',
  ],
  notStored: ['Nothing was stored.', 'Nada foi guardado.'],
  maybeStored: ['It may be stored.', 'Pode ter sido guardada.'],
  tryThis: ['Try: {what}', 'Tente: {what}'],
  persistenceMissing: [
    '{reachable} of {all} persistence replicas reachable{names}; {needed} needed; missing: {missing}.',
    '{reachable} de {all} réplicas de persistência ao alcance{names}; são precisas {needed}; faltam: {missing}.',
  ],
  processingMissing: [
    'processing replicas missing: {missing}.',
    'réplicas de processamento em falta: {missing}.',
  ],
  noCoordinator: ['There is no coordinator just now.', 'De momento não há coordenador.'],
  accepted: ['accepted', 'aceite'],
  stateStored: ['stored', 'guardada'],
  stateDelivered: ['delivered', 'entregue'],
  stateRead: ['read', 'lida'],
  stateRefused: ['refused', 'recusada'],
  headIndex: ['index', 'índice'],
  headTo: ['to', 'para'],
  headTime: ['time', 'hora'],
  headState: ['state', 'estado'],
  nothingSent: ['nothing was sent', 'nada foi enviado'],
  noMessages: ['no new messages', 'não há mensagens novas'],
  deleted: ['deleted, as far as they were there: {count}', 'apagadas, as que havia: {count}'],
  sealed: ['(this envelope does not open)', '(este envelope não abre)'],
  unproven: [
    '(not shown: it does not open, or its sender did not sign it for this place)',
    '(não se mostra: não abre, ou o remetente não a assinou para este lugar)',
  ],
  registered: [
    '{name} is registered; key of {bits} bits, {mode}, fingerprint {fingerprint}',
    '{name} foi registado; chave de {bits} bits, {mode}, impressão digital {fingerprint}',
  ],
  loggedIn: ['logged in as {name}', 'sessão aberta como {name}'],
  loggedOut: ['{name} is forgotten here', '{name} foi esquecido aqui'],
  remembered: [
    'the password is kept, readable by you alone, in {path} (--no-save: not kept)',
    'a palavra-passe fica guardada, só legível por si, em {path} (--no-save: não fica)',
  ],
  nobody: [
    'nobody is logged in; try: troca login NAME',
    'ninguém tem sessão aberta; tente: troca login NOME',
  ],
  password: ['Password for {name}: ', 'Palavra-passe de {name}: '],
  newPassword: ['New password for {name}: ', 'Nova palavra-passe de {name}: '],
  passwordChanged: [
    '{name} has a new password; all other sessions have ended',
    '{name} tem nova palavra-passe; todas as outras sessões terminaram',
  ],
  rotated: [
    '{name} has a new key of {bits} bits, fingerprint {fingerprint}; the old ones still read',
    '{name} tem nova chave de {bits} bits, impressão digital {fingerprint}; as antigas ainda leem',
  ],
  keyInUse: ['in use', 'em uso'],
  keyOld: ['reads what was sent before', 'lê o que foi enviado antes'],
  passphrase: ['Passphrase of the key: ', 'Frase-passe da chave: '],
  newPassphrase: ['Passphrase for the key: ', 'Frase-passe para a chave: '],
  noPassphrase: [
    'no passphrase: give it by prompt, --passphrase-file or TROCA_PASSPHRASE',
    'falta a frase-passe: por pergunta, --passphrase-file ou TROCA_PASSPHRASE',
  ],
  noSuchKey: ['there is no key {kid}', 'não há chave {kid}'],
  exported: [
    'private keys under the passphrase in {out}: {count}',
    'chaves privadas sob a frase-passe em {out}: {count}',
  ],
  severalKeys: [
    'the file has {count} keys; {kid} is taken (--kid: another)',
    'o ficheiro tem {count} chaves; usa-se {kid} (--kid: outra)',
  ],
  jweNotOpened: [
    'line {line} does not open: another key, changed, or no JWE of RSA-OAEP-256 and A256GCM',
    'a linha {line} não abre: outra chave, alterada, ou não é JWE de RSA-OAEP-256 e A256GCM',
  ],
  jweCount: ['{opened} of {count} opened', '{opened} de {count} abertas'],
  exportedTo: ['envelopes in {out}: {count}', 'envelopes em {out}: {count}'],
  invited: [
    'whoever has this code may register once, until {until}: troca register NAME --invitation {code}',
    'quem tiver este código pode registar-se uma vez, até {until}: troca register NOME --invitation {code}',
  ],
  blocked: [
    'messages from {name} are refused now',
    'as mensagens de {name} passam a ser recusadas',
  ],
  unblocked: [
    'messages from {name} are taken again',
    'as mensagens de {name} voltam a ser aceites',
  ],
  nobodyBlocked: ['nobody is blocked', 'ninguém está bloqueado'],
  confirmDelete: [
    'This ends the account of {name} for ever, with all messages in its mailbox. Type the name to go on: ',
    'Isto termina a conta de {name} para sempre, com todas as mensagens da sua caixa. Escreva o nome para continuar: ',
  ],
  deleteNeedsYes: [
    'nobody to ask: add --yes to delete the account',
    'ninguém a quem perguntar: junte --yes para apagar a conta',
  ],
  notDeleted: [
    'not the name: the account of {name} is as it was',
    'não é o nome: a conta de {name} está como estava',
  ],
  accountDeleted: [
    'the account of {name} is deleted, with its mailbox; the name stays taken',
    'a conta de {name} foi apagada, com a sua caixa; o nome fica ocupado',
  ],
  keyFileStays: [
    'its key file is still there: {path}. It opens only what you have exported',
    'o ficheiro de chaves ainda existe: {path}. Só abre o que exportou',
  ],
  passwordAgain: ['Once more: ', 'Outra vez: '],
  passwordsDiffer: ['the two of them differ', 'as duas são diferentes'],
  noPassword: [
    'no password: give it by prompt, --password-file, TROCA_PASSWORD or stdin',
    'falta a palavra-passe: por pergunta, --password-file, TROCA_PASSWORD ou stdin',
  ],
  noCluster: [
    'there is no cluster in {dir}; try: troca up',
    'não há cluster em {dir}; tente: troca up',
  ],
  initialising: [
    'no cluster in {dir} yet: making one',
    'ainda não há cluster em {dir}: a criar um',
  ],
  renewed: [
    'new certificates for {names}; those that run take them up within seconds',
    'certificados novos para {names}; as que correm passam a usá-los dentro de segundos',
  ],
  doctorFound: ['found', 'resultado'],
  doctorNext: ['what to do', 'o que fazer'],
  doctorSum: [
    '{ok} ok, {warn} to watch, {fail} wrong',
    '{ok} em ordem, {warn} a vigiar, {fail} errados',
  ],
  starting: ['starting {names}', 'a iniciar {names}'],
  waiting: ['{up} of {all} replicas reachable{names}', '{up} de {all} réplicas ao alcance{names}'],
  isUp: [
    'ready: coordinator {coordinator}, {all} replicas',
    'pronto: coordenador {coordinator}, {all} réplicas',
  ],
  alreadyUp: ['it is already running', 'já está a funcionar'],
  stopping: ['stopping', 'a parar'],
  stopped: ['stopped; nothing is left running', 'parado; nada ficou a correr'],
  notRunning: ['nothing was running', 'nada estava a correr'],
  portTaken: [
    'port {port}, which {name} needs, is taken by another program; stop that, or choose other ports',
    'a porta {port}, de que {name} precisa, está ocupada por outro programa; pare-o ou escolha outras portas',
  ],
  replicaDied: [
    '{name} does not start: {reason}. See {log}',
    '{name} não arranca: {reason}. Veja {log}',
  ],
  notReadyInTime: ['not ready within {seconds} s', 'não ficou pronto em {seconds} s'],
  rsaMade: [
    '{bits} bits, thumbprint {thumbprint}: {out}',
    '{bits} bits, thumbprint {thumbprint}: {out}',
  ],
  rsaSearching: [
    'searching two primes of {bits} bits: {candidates} candidates',
    'à procura de dois primos de {bits} bits: {candidates} candidatos',
  ],
  rsaNotOpened: [
    'decryption error: another key, label or hash than it was encrypted with, or it was changed',
    'erro ao decifrar: a chave, a etiqueta ou a função de hash é outra, ou o texto foi alterado',
  ],
  rsaTooLong: [
    'the message has {length} bytes; a key of {bits} bits encrypts at most {capacity} with {hash}. For more, encrypt a key by RSA and the message by that key',
    'a mensagem tem {length} bytes; uma chave de {bits} bits cifra no máximo {capacity} com {hash}. Para mais, cifre uma chave com RSA e a mensagem com essa chave',
  ],
  rsaValid: ['the signature is valid', 'a assinatura é válida'],
  rsaInvalid: [
    'the signature is not valid for this key, message, hash and salt length',
    'a assinatura não é válida para esta chave, mensagem, função de hash e comprimento de sal',
  ],
  rsaExists: [
    '{path} exists; a private key is not written over a file. Name another, or remove it',
    '{path} existe; uma chave privada não se escreve por cima. Indique outro, ou apague-o',
  ],
  rsaBinary: [
    'this would write binary data to the terminal; name a file with --out, or a pipe',
    'isto escreveria dados binários no terminal; indique um ficheiro com --out, ou um pipe',
  ],
  cannotRead: ['cannot read {path}: {reason}', 'não é possível ler {path}: {reason}'],
  cannotWrite: ['cannot write {path}: {reason}', 'não é possível escrever {path}: {reason}'],
  listening: ['listening as {name}; Ctrl-C ends', 'à escuta como {name}; Ctrl-C termina'],
  reconnecting: ['connection lost, reconnecting', 'ligação perdida, a religar'],
  working: ['{what} …', '{what} …'],
} as const satisfies Record<string, readonly [en: string, pt: string]>

/** The service's errors, for who reads Portuguese; others are shown as they come. */
const ERRORS_PT: Record<string, string> = {
  NAME_TAKEN: 'este nome já está em uso',
  NO_SUCH_USER: 'esse utilizador não existe',
  BAD_CREDENTIALS: 'utilizador desconhecido ou palavra-passe errada',
  NOT_LOGGED_IN: 'sem sessão aberta',
  ACCOUNT_CHANGED: 'a conta foi alterada por outro pedido pouco antes',
  BAD_KEY: 'esta chave não serve',
  TOO_MANY_KEYS: 'a conta tem tantas chaves quantas pode ter',
  SESSION_ENDED: 'a conta mudou (palavra-passe, chave) ou foi apagada: abra sessão outra vez',
  CLIENT_HELD: 'só o destinatário tem as suas chaves: o serviço não aceita texto legível para ele',
  NOT_CLIENT_HELD: 'mensagens seladas são entre contas que guardam as suas chaves',
  NOT_END_TO_END: 'não seria de ponta a ponta',
  UNTRUSTED_KEY: 'as chaves não são as conhecidas',
  NO_KEYS: 'falta o ficheiro de chaves desta conta, ou não abre',
  BAD_NAME: 'o nome não é válido: 1 a 32 de a-z 0-9 . _ - a começar por letra',
  TOO_LONG: 'o texto é demasiado longo',
  REGISTRATION_CLOSED: 'aqui não se aceitam contas novas',
  INVITATION_NEEDED: 'as contas novas são só por convite',
  BAD_INVITATION: 'este convite não está aberto: desconhecido, já usado ou fora de prazo',
  TOO_MANY_INVITATIONS: 'a conta tem tantos convites abertos quantos pode ter',
  BLOCKED: 'o destinatário não aceita mensagens desta conta',
  TOO_MANY_BLOCKED: 'a lista de bloqueados está cheia',
  STREAM_CLOSED: 'este fluxo de envios está fechado',
  RATE_LIMITED: 'este utilizador envia depressa demais',
  MAILBOX_FULL: 'a caixa do destinatário está cheia',
  OVERLOADED: 'a réplica tem trabalho a mais',
  TOO_MANY_ATTEMPTS: 'demasiadas palavras-passe erradas deste endereço',
  TOO_MANY_REGISTRATIONS: 'demasiados registos deste endereço',
  ADDRESS_BUSY: 'este endereço tem demasiado em curso',
  TOO_MANY_CONNECTIONS: 'demasiadas ligações deste endereço',
  NOT_READY: 'de momento não há coordenador',
  NO_QUORUM: 'há réplicas de persistência a menos',
  STORAGE_FULL: 'o disco está cheio',
  UNREACHABLE: 'nenhuma réplica de processamento ao alcance',
  TIMEOUT: 'não houve resposta a tempo',
}

export type TextName = keyof typeof TEXTS

function portuguese(): boolean {
  const { LC_ALL, LC_MESSAGES, LANG } = process.env
  return /^pt/i.test(LC_ALL || LC_MESSAGES || LANG || '')
}

type Values = Record<string, string | number>

/** A text of a table in the reader's language. */
export function sayIn<Name extends string>(
  texts: Readonly<Record<Name, readonly [en: string, pt: string]>>,
  name: Name,
  values: Values = {},
): string {
  const text = texts[name][portuguese() ? 1 : 0]
  return text.replace(/\{(\w+)\}/g, (_, key: string) => String(values[key] ?? ''))
}

export function say(name: TextName, values: Values = {}): string {
  return sayIn(TEXTS, name, values)
}

export function sayError(name: string, text: string, retryAfterMs = 0): string {
  const translated = portuguese() ? ERRORS_PT[name] : undefined
  if (!translated) return text
  const wait = retryAfterMs >= 1_000 ? `; de novo daqui a ${Math.ceil(retryAfterMs / 1_000)} s` : ''
  return `${translated}${wait} (${name})`
}
