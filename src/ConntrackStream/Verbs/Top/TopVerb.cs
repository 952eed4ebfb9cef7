using System.CommandLine;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Api;
using ConntrackStream.Service.Cli;

namespace ConntrackStream.Service.Verbs.Top;

/// <summary><c>top</c>: the busiest flows, sources, destinations and services on a terminal.</summary>
internal static class TopVerb
{
    private static readonly string[] Sorts = ["rate", "packets", "bytes", "age"];

    internal static Verb Create(CliContext context, SharedOptions shared)
    {
        FilterOptions filter = new();
        Option<TimeSpan> interval = ValueOption.Of<TimeSpan>(
            ["--interval"], "Time between two looks at the table [2s]", "DURATION", TimeSpan.FromSeconds(2),
            ValueOption.Duration(TopState.ShortestInterval, TopState.LongestInterval), "a duration from 500ms to 1m");
        Option<TopSort> sort = ValueOption.Of<TopSort>(
            ["--sort"], "Order at first: rate, packets, bytes or age [rate]", "ORDER", TopSort.Rate, TryParseSort,
            "one of rate, packets, bytes, age");
        Verb verb = new("top", "Shows the busiest flows, sources, destinations and services on the terminal, as top does processes", """
              conntrack-stream top
              conntrack-stream top -p udp --dport 53 --interval 1s
              conntrack-stream top --netns blue --sort bytes
            Keys: ? shows them, q quits. Rates of bytes need net.netfilter.nf_conntrack_acct=1, ages need nf_conntrack_timestamp=1.
            New and ended flows come from the running service; without one, from an event socket and a live view that end with the screen.
            """)
        {
            UsesConfiguration = parsed => parsed.GetValue(shared.Socket) is null,
        };
        verb.Add([.. filter.All, interval, sort, shared.Namespace, shared.Socket]);
        verb.SetAction(async (parsed, cancellation) =>
        {
            if (Console.IsInputRedirected || Console.IsOutputRedirected)
            {
                context.Fail("top needs a terminal for input and output; list, rates and summary write to files and pipes");
                return ExitCode.Usage;
            }

            if (parsed.GetValue(shared.Socket) is { } named) // without it, a service that is not there is nothing wrong
                await ApiClient.HealthAsync(named, "/healthz", cancellation).ConfigureAwait(false);
            using NetworkNamespace networkNamespace = shared.OpenNamespace(parsed);
            string text = filter.ToText(parsed);
            TopState state = new(
                text, parsed.GetValue(interval), static typed => TopFilter.TryParse(typed, out _, out string error) ? null : error)
            {
                Sort = parsed.GetValue(sort),
            };
            TopWish wish = new(filter.Read(parsed), state.Sort, state.Interval, IsPaused: false);
            using Interruption interruption = new(cancellation);
            await new TopProgram(context, networkNamespace, shared.SocketPath(parsed, context), wish, state)
                .RunAsync(interruption.Token).ConfigureAwait(false);
            return ExitCode.Done;
        });
        return verb;
    }

    private static bool TryParseSort(string text, out TopSort sort)
    {
        int index = Array.IndexOf(Sorts, text);
        sort = (TopSort)Math.Max(0, index);
        return index >= 0;
    }
}
