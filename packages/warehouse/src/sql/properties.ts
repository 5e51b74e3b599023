/** One JSON object from the typed maps and the nested rest of a row of `events`. */
export const propertiesSql = (): string =>
  `concat('{', arrayStringConcat(arrayConcat(${[pairs('strs'), pairs('nums'), pairs('bools'), REST].join(', ')}), ','), '}')`

const pairs = (map: string): string =>
  `arrayMap((k, v) -> concat(toJSONString(k), ':', toJSONString(v)), mapKeys(${map}), mapValues(${map}))`

/** `extra` is a JSON object or empty; its members stand between the braces. */
const REST = `if(extra = '', emptyArrayString(), [substring(extra, 2, length(extra) - 2)])`
