/** Goes through the rows of a block, one after the other. */
import { HEAD, TRIAL, type ColumnBlock } from './column-block.ts'

/** Where the next row begins in each kind of column. */
export class BlockWalk {
  row = 0
  trial = 0
  answer = 0
  error = 0
  errorAt = 0
  moment = 0
  odd = 0
  oddAt = 0

  /** Goes behind the row that it stands at. */
  pass(block: ColumnBlock): void {
    const { head, trials, answers, trialFlags, errorOctets, oddOctets } = block.columns
    const fields = head[this.row] as number
    if (fields === 0) {
      this.oddAt += oddOctets[this.odd++] as number
    } else {
      for (let left = trials[this.row] as number; left > 0; left--) {
        const flags = trialFlags[this.trial] as number
        if ((flags & TRIAL.timed) !== 0) this.moment += 2
        if ((flags & TRIAL.error) !== 0) this.errorAt += errorOctets[this.error++] as number
        this.answer += answers[this.trial++] as number
      }
      if ((fields & HEAD.start_time) !== 0) this.moment++
      if ((fields & HEAD.end_time) !== 0) this.moment++
    }
    this.row++
  }
}
