using System.CommandLine;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Cli;

namespace ConntrackStream.Service.Verbs;

/// <summary><c>watch</c>: events as they come, as <c>conntrack -E</c>; what was lost is said when it happens and at the end.</summary>
internal static class WatchVerb
{
    private static readonly string[] EventNames = ["NEW", "UPDATE", "DESTROY"]; // by FlowEventType

    internal static Verb Create(CliContext context, SharedOptions shared)
    {
        FilterOptions filter = new(takenLetter: 'c');
        OutputOptions output = new();
        Option<FlowEventType[]> events = EventOption();
        Option<int> limit = LimitOption();
        Verb verb = new("watch", "Shows events as they happen, as conntrack -E, until Ctrl-C", """
              conntrack-stream watch -e NEW,DESTROY -p tcp --dport 443
              conntrack-stream watch -o json | jq 'select(.event=="end") | .tx_bytes'
              conntrack-stream watch --netns blue -o timestamp,extended,id
            """);
        verb.Add([events, limit, .. filter.All, output.Option, shared.Namespace]);
        verb.SetAction(async (parsed, cancellation) =>
        {
            using NetworkNamespace networkNamespace = shared.OpenNamespace(parsed);
            Watcher watcher = new(networkNamespace, parsed.GetValue(events) ?? [], filter.Read(parsed), parsed.GetValue(limit), context);
            return await watcher.RunAsync(output.Read(parsed, context), cancellation).ConfigureAwait(false);
        });
        return verb;
    }

    private static Option<int> LimitOption() => ValueOption.Of(
        ["--count", "-c"], "End after this many events", "N", int.MaxValue, ValueOption.Number(1), "a number from 1 on");

    private static Option<FlowEventType[]> EventOption() => new("--event-mask", "-e")
    {
        Description = "Which events: NEW, UPDATE, DESTROY, or ALL (default)",
        HelpName = "EVENT[,…]",
        Arity = ArgumentArity.OneOrMore,
        CustomParser = static result =>
        {
            List<FlowEventType> types = [];
            foreach (string name in result.Tokens.SelectMany(static token => token.Value.Split(',', StringSplitOptions.TrimEntries)))
            {
                int index = Array.FindIndex(EventNames, known => known.Equals(name.TrimEnd('S', 's'), StringComparison.OrdinalIgnoreCase));
                if (index >= 0)
                    types.Add((FlowEventType)index);
                else if (name.Equals("ALL", StringComparison.OrdinalIgnoreCase))
                    types.AddRange([FlowEventType.New, FlowEventType.Update, FlowEventType.Destroy]);
                else
                    result.AddError($"--event-mask: '{name}' is not an event; allowed are NEW, UPDATE, DESTROY, ALL");
            }

            return [.. types];
        },
    };
}
