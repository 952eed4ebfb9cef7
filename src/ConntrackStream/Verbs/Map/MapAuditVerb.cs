using System.CommandLine;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Options;
using ConntrackStream.Sinks.MapCleaning.Delete;

namespace ConntrackStream.Service.Verbs.Map;

/// <summary><c>map audit</c>: the delete stage of the service, for two audits.</summary>
internal static class MapAuditVerb
{
    internal static Verb Create(CliContext context, SharedOptions shared, MapOption map)
    {
        FormatOption output = new();
        Option<bool> delete = new("--delete") { Description = "Delete what is stale; without it nothing is changed" };
        Option<TimeSpan> interval = IntervalOption();
        Verb verb = new("audit", "Audits the eBPF map twice and says which entries are stale and would go, and why; once, without the service", """
              conntrack-stream map audit
              conntrack-stream map audit --delete --interval 1m
              conntrack-stream map audit --map id:17 --netns /proc/1/ns/net -o json | jq -r .outcome | sort | uniq -c
            The way of each entry is the service's own (docs/safe-deletion.md): a miss or an end only nominates, a question to the kernel decides.
            """)
        {
            UsesConfiguration = static _ => true,
        };
        verb.Add([map.Option, delete, interval, output.Option, shared.Namespace]);
        verb.SetAction(async (parsed, cancellation) =>
        {
            ServiceOptions options = OptionsLoader.Load(shared.Sources(parsed, context));
            string source = map.Read(parsed, options.Map);
            options.Map.Mode = parsed.GetValue(delete) ? MapMode.Delete : MapMode.Observe;
            if (parsed.GetValue(interval) < options.Map.Grace)
                throw new ConfigurationException([$"--interval: {parsed.GetValue(interval)} is shorter than the grace "
                    + $"({options.Map.Grace}, Map:Grace): no entry could be missed long enough"]);
            using NetworkNamespace networkNamespace = NetworkNamespace.Open(
                parsed.GetValue(shared.Namespace) ?? options.Tap.NetworkNamespace);
            MapAuditRun run = new(source, options.Map, parsed.GetValue(interval), output.IsJson(parsed), context);
            return await run.RunAsync(networkNamespace, cancellation).ConfigureAwait(false);
        });
        return verb;
    }

    private static Option<TimeSpan> IntervalOption() => ValueOption.Of<TimeSpan>(
        ["--interval"], "Between the two audits; not shorter than Map:Grace", "DURATION", TimeSpan.FromSeconds(10),
        static (text, out duration) => DurationText.TryParse(text, out duration) && duration <= TimeSpan.FromDays(1),
        "a duration (10s, 1m, 00:02:30) of at most one day");
}
