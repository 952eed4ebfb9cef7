using System.CommandLine;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Options;
using ConntrackStream.Service.Plugins;
using ConntrackStream.Sinks.Reclassify;
using ConntrackStream.Sinks.Reclassify.Chain;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Setup;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Service.Verbs.Classify;

/// <summary>
/// <c>classify</c>: for the flows of the table, the path each is on, the one it belongs on, and what would be done about it.
/// </summary>
internal static class ClassifyVerb
{
    internal static Verb Create(CliContext context, SharedOptions shared)
    {
        FilterOptions filter = new();
        FormatOption output = new();
        Option<bool> all = new("--all") { Description = "Also the flows that nobody has an opinion on" };
        Verb verb = new("classify", "Says which uplink each flow is on, which it belongs on, what the service would do about it, and why", """
              conntrack-stream classify
              conntrack-stream classify -d 198.51.100.7 -p tcp --dport 443 --all
              conntrack-stream classify -o json | jq -r 'select(.action=="keep") | .reason' | sort | uniq -c
            Paths, sets and rules are those of the configuration (Reclassify:*); nothing is changed, and the service need not run.
            """)
        {
            UsesConfiguration = static _ => true,
        };
        verb.Add([all, .. filter.All, output.Option, shared.Namespace]);
        verb.SetAction(async (parsed, cancellation) =>
        {
            ServiceOptions options = OptionsLoader.Load(shared.Sources(parsed, context));
            Require(options.Reclassify);
            using NetworkNamespace networkNamespace = NetworkNamespace.Open(
                parsed.GetValue(shared.Namespace) ?? options.Tap.NetworkNamespace);
            FlowFilter wanted = filter.Read(parsed);
            ReclassifyParts parts = ReclassifySetup.Create(
                options.Reclassify, networkNamespace, context.Time, NullLoggerFactory.Instance,
                new PluginLoader(NullLoggerFactory.Instance, context.Time));
            await using (parts.ConfigureAwait(false))
            {
                parts.TryResets();
                ClassifyAnswers answers = new();
                await parts.Classifiers.StartAsync(answers, cancellation).ConfigureAwait(false);
                ClassifiedLines lines = new(context, output.IsJson(parsed), parsed.GetValue(all));
                Classify(networkNamespace, wanted, new FlowClassification(parts, answers, context.Time), lines, cancellation);
                lines.Flush();
                foreach (ClassifierStatus status in parts.Classifiers.Statuses.Where(static status => !status.IsWorking))
                    context.Fail($"{status.Name}: {status.Text}");
                context.Tell(lines.Summary());
            }

            return ExitCode.Done;
        });
        return verb;
    }

    /// <summary>The verb needs what the service needs, enabled or not.</summary>
    private static void Require(ReclassifyOptions options)
    {
        string[] faults = [.. options.Lacks().Select(static fault => $"Reclassify:{fault.MemberNames.First()}: {fault.ErrorMessage}")];
        if (faults.Length > 0)
            throw new ConfigurationException(faults);
    }

    private static void Classify(
        NetworkNamespace networkNamespace, FlowFilter wanted, FlowClassification classification, ClassifiedLines lines,
        CancellationToken cancellation)
    {
        WholeTable table = new(networkNamespace);
        table.Read(FlowFamily.Unspecified, (in FlowEvent entry) => classification.Note(entry.Flow), cancellation);
        table.Read(
            wanted.Family,
            (in FlowEvent entry) =>
            {
                if (wanted.Matches(entry.Flow))
                    lines.Write(entry.Flow, classification.Of(entry.Flow, cancellation));
            },
            cancellation);
    }
}
