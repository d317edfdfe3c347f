/** What is wrong with a text from outside: a sentence that follows its name and repeats no secret. */
export class Problem {
  readonly sentence: string
  constructor(sentence: string) {
    this.sentence = sentence
  }
}
