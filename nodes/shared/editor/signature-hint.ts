/** Shows the signature of the function that is chosen in the open dialog. */
import { type ChosenSource, chosenFunction, FUNCTION_FIELDS } from './chosen-function';
import { Latest } from './latest';
import type { SourceReport } from './server';
import { entryPointIn, signatureText } from './signature';
import { knownReport, reportOn } from './source-reports';

/** @param area shows the signature, or nothing where it is not known */
export function showSignature(area: JQuery): void {
  const show = (report: SourceReport | Error | undefined, { entryPoint }: ChosenSource) => {
    const found = report === undefined || report instanceof Error ? undefined : entryPointIn(report, entryPoint);
    const text = found === undefined ? '' : signatureText(found);
    area.text(text).attr('title', text);
  };
  const latest = new Latest(({ question }: ChosenSource) => reportOn(question), show, 0);
  const look = () => {
    latest.stop();
    const chosen = chosenFunction();
    if (typeof chosen === 'string') {
      area.text('');
    } else {
      show(knownReport(chosen.question), chosen);
      latest.request(chosen);
    }
  };
  $(FUNCTION_FIELDS).on('change', look);
  look();
}
