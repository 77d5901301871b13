// The texts of sending, listening and reading, in English and Portuguese.

import { sayIn } from '../texts.js'

const TEXTS = {
  lineRefused: ['line {line} refused: {why}', 'linha {line} recusada: {why}'],
  lineUnknown: ['line {line} may be stored: {why}', 'linha {line} pode ter sido guardada: {why}'],
  linesStored: [
    '{count} lines stored, the last at {index}',
    '{count} linhas guardadas, a última em {index}',
  ],
  noLineStored: ['no line stored', 'nenhuma linha guardada'],
  linesUnsent: [
    'nothing after line {line} was sent; --start-line {next} goes on there, --keep-going passes over refused lines',
    'nada depois da linha {line} foi enviado; --start-line {next} continua daí, --keep-going passa por cima das linhas recusadas',
  ],
  linesInterrupted: ['interrupted', 'interrompido'],
  outputClosed: [
    'the reader of the output has gone; what it did not get stays as it was',
    'quem lia a saída foi-se; o que não recebeu fica como estava',
  ],
  empty: ['the text is empty', 'o texto está vazio'],
  tooLong: [
    'too long: more than {most} bytes of UTF-8',
    'demasiado longo: mais de {most} bytes de UTF-8',
  ],
  notUtf8: [
    'not UTF-8 text; convert it first, for example with iconv',
    'não é texto em UTF-8; converta-o primeiro, por exemplo com iconv',
  ],
  commandFailed: [
    'the command ended with {end} for message {index}, which stays unread; the next listen begins there',
    'o comando terminou com {end} na mensagem {index}, que fica por ler; o próximo listen começa aí',
  ],
  waited: ['no message came within {seconds} s', 'nenhuma mensagem chegou em {seconds} s'],
  leftUnread: [
    'unread messages before these were not shown, so nothing is marked as read',
    'há mensagens anteriores por ler que não se mostraram, por isso nada fica marcado como lido',
  ],
  deleted: ['{count} deleted', '{count} apagadas'],
  notThere: [
    'not in the mailbox: {indices}; the rest is deleted',
    'não estão na caixa: {indices}; as restantes foram apagadas',
  ],
  deleteNeedsYes: [
    'this deletes {count} messages for ever, and there is no terminal to ask at: add --yes',
    'isto apaga {count} mensagens para sempre, e não há terminal onde perguntar: junte --yes',
  ],
  confirmDelete: [
    'This deletes {count} messages of {name} for ever. Type the name to go on: ',
    'Isto apaga {count} mensagens de {name} para sempre. Escreva o nome para continuar: ',
  ],
  notDeleted: [
    'the typed name is another one; nothing was deleted',
    'o nome escrito é outro; nada foi apagado',
  ],
  actingAs: [
    'commands act as {name} (troca use NAME changes that)',
    'os comandos agem como {name} (troca use NOME muda isso)',
  ],
  notKept: [
    'no password of {name} is kept here; try: troca login {name}',
    'não há aqui palavra-passe de {name}; tente: troca login {name}',
  ],
  sentAs: ['stored at {index} ({mode}), as {user}', 'guardada em {index} ({mode}), como {user}'],
  bitsOfService: [
    '--bits: the service holds the keys of {name} and chooses their size',
    '--bits: o serviço guarda as chaves de {name} e escolhe o seu tamanho',
  ],
  quote: [
    'a text of several words needs quotes: troca send {to} "{text}"',
    'um texto de várias palavras precisa de aspas: troca send {to} "{text}"',
  ],
  cutOff: ['interrupted before the answer', 'interrompido antes da resposta'],
} as const satisfies Record<string, readonly [en: string, pt: string]>

export function sayTalk(
  name: keyof typeof TEXTS,
  values: Record<string, string | number> = {},
): string {
  return sayIn(TEXTS, name, values)
}
