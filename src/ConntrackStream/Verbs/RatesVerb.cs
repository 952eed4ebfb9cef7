using System.CommandLine;
using ConntrackStream.Service.Api;
using ConntrackStream.Service.Cli;

namespace ConntrackStream.Service.Verbs;

/// <summary><c>rates</c>: what happens in the running service, an interval a line.</summary>
internal static class RatesVerb
{
    internal static Verb Create(CliContext context, SharedOptions shared)
    {
        FormatOption output = new();
        Option<TimeSpan> interval = ValueOption.Of<TimeSpan>(
            ["--interval"], "Time of a line", "DURATION", TimeSpan.FromSeconds(1), RatesQuery.ParseInterval,
            RatesQuery.AllowedInterval);
        Option<int> top = ValueOption.Of(
            ["--top"], "Show so many of the busiest sources", "N", 3, RatesQuery.ParseTop, RatesQuery.AllowedTop);
        Option<int> count = ValueOption.Of(
            ["--count"], "End after so many lines [at Ctrl-C]", "N", int.MaxValue, ValueOption.Number(1), "a number from 1 up");
        Verb verb = new("rates", "Shows how many flows start and end in the running service, and which sources are the busiest", """
              conntrack-stream rates
              conntrack-stream rates --interval 10s --top 10 -o json | jq -c '.talkers[]'
            Bytes need net.netfilter.nf_conntrack_acct, and count when a flow ends. A gap means that something was lost: the line is short by it.
            """)
        {
            UsesConfiguration = parsed => parsed.GetValue(shared.Socket) is null,
        };
        verb.Add([output.Option, interval, top, count, shared.Socket]);
        verb.SetAction((parsed, cancellation) => RunAsync(
            context, shared.SocketPath(parsed, context), parsed.GetValue(interval), parsed.GetValue(top), parsed.GetValue(count),
            output.IsJson(parsed), cancellation));
        return verb;
    }

    private static async Task<int> RunAsync(
        CliContext context, string socket, TimeSpan interval, int top, int count, bool isJson, CancellationToken outer)
    {
        using Interruption interruption = new(outer);
        int shown = 0;
        try
        {
            await foreach (string line in ApiClient.RatesAsync(socket, interval, top, interruption.Token).ConfigureAwait(false))
            {
                if (shown == 0 && !isJson)
                    context.Print(RateRecord.Heading);
                context.Print(isJson ? line : RateRecord.Parse(line).ToText());
                if (++shown >= count)
                    return ExitCode.Done;
            }
        }
        catch (OperationCanceledException) when (interruption.Token.IsCancellationRequested)
        {
            return ExitCode.Done;
        }

        throw new IOException("the service has ended");
    }
}
