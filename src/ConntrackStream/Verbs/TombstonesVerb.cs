using System.CommandLine;
using System.Text;
using ConntrackStream.Service.Api;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Output;

namespace ConntrackStream.Service.Verbs;

/// <summary><c>tombstones</c>: the running service's nominated keys, why and since when.</summary>
internal static class TombstonesVerb
{
    internal static Verb Create(CliContext context, SharedOptions shared)
    {
        FormatOption output = new();
        Option<int> limit = LimitOption();
        Verb verb = new("tombstones", "Shows which entries of the eBPF map the running service is about to delete, and why", """
              conntrack-stream tombstones
              conntrack-stream tombstones -o json | jq -r 'select(.reason=="missed_twice") | .dst'
            waiting: in its grace, or held back; observed: would have been deleted (Map:Mode=observe); armed: deleted, can still be put back.
            """)
        {
            UsesConfiguration = parsed => parsed.GetValue(shared.Socket) is null,
        };
        verb.Add([output.Option, limit, shared.Socket]);
        verb.SetAction(async (parsed, cancellation) =>
        {
            bool isJson = output.IsJson(parsed);
            long shown = 0;
            long total = await ApiClient.TombstonesAsync(shared.SocketPath(parsed, context), parsed.GetValue(limit), line =>
            {
                context.Print(isJson ? line : TombstoneRecord.Parse(line).ToText());
                shown++;
            }, cancellation).ConfigureAwait(false);
            context.Tell($"{shown} of {total} tombstones have been shown.");
            return ExitCode.Done;
        });
        return verb;
    }

    private static Option<int> LimitOption() => ValueOption.Of(
        ["--limit"], "Show so many at most", "N", 1000, ValueOption.Number(0, StateAnswers.MostTombstones),
        $"a number from 0 to {StateAnswers.MostTombstones}");
}
