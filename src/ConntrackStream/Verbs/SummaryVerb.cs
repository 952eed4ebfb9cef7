using System.CommandLine;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Api;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Summary;

namespace ConntrackStream.Service.Verbs;

/// <summary><c>summary</c>: the table explained: what is in it, what that is likely to be, and how the table should be set.</summary>
internal static class SummaryVerb
{
    internal static Verb Create(CliContext context, SharedOptions shared)
    {
        FilterOptions filter = new();
        FormatOption output = new();
        Option<TimeSpan> interval = ValueOption.Of<TimeSpan>(
            ["--interval"], "Time between the two looks that rates are taken from [1s]", "DURATION", TimeSpan.FromSeconds(1),
            SummaryLimits.ParseInterval, SummaryLimits.AllowedInterval);
        Option<int> top = ValueOption.Of(
            ["--top"], "Show so many of each kind of the heaviest [5]", "N", 5, SummaryLimits.ParseTop, SummaryLimits.AllowedTop);
        Verb verb = new("summary", "Explains the connection table: what fills it, how fast, what that is likely to be, and what to do", """
              conntrack-stream summary
              conntrack-stream summary -p tcp --top 20
              conntrack-stream summary --netns blue -o json | jq .findings
              conntrack-stream summary --live          the running service's answer: new flows are those that it has counted
            Reads the table once, in bounded memory. Bytes need net.netfilter.nf_conntrack_acct. Each top list is exact for up to 8192
            addresses or pairs; beyond, a number may be too high by the share that stands behind it.
            """)
        {
            UsesConfiguration = parsed => parsed.GetValue(shared.Live) && parsed.GetValue(shared.Socket) is null,
        };
        verb.Add([.. filter.All, interval, top, output.Option, shared.Namespace, shared.Live, shared.Socket]);
        verb.Validators.Add(shared.EitherLiveOrKernel);
        verb.SetAction(async (parsed, cancellation) =>
        {
            (TimeSpan between, int most) = (parsed.GetValue(interval), parsed.GetValue(top));
            SummaryRecord summary = parsed.GetValue(shared.Live)
                ? SummaryRecord.Parse(await ApiClient.SummaryAsync(
                    shared.SocketPath(parsed, context), between, most, filter.ToQuery(parsed), cancellation).ConfigureAwait(false))
                : await OfKernelAsync(shared.OpenNamespace(parsed), filter.Read(parsed), between, most, context, cancellation)
                    .ConfigureAwait(false);
            if (output.IsJson(parsed))
                context.Output.Write(summary.ToJson());
            else
                Array.ForEach([.. SummaryText.Lines(summary)], context.Print);
            return ExitCode.Done;
        });
        return verb;
    }

    private static async Task<SummaryRecord> OfKernelAsync(
        NetworkNamespace networkNamespace, FlowFilter filter, TimeSpan interval, int top, CliContext context,
        CancellationToken cancellation)
    {
        using NetworkNamespace opened = networkNamespace;
        using TableReader table = new(networkNamespace, context.Time);
        TableReading before = table.Read();
        TableTally tally = new(before.EstablishedTimeout);
        table.AddFlows(tally, filter, cancellation);
        TimeSpan left = interval - context.Time.GetElapsedTime(before.At);
        if (left > TimeSpan.Zero)
            await Task.Delay(left, context.Time, cancellation).ConfigureAwait(false);
        return SummaryBuilder.Build(
            tally, TableGrowth.Between(before, table.Read(), context.Time), context.Time.GetUtcNow(), "kernel",
            networkNamespace.IsCurrent ? null : networkNamespace.Name, top);
    }
}
