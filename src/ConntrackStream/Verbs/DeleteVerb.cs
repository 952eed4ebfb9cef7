using System.CommandLine;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Output;

namespace ConntrackStream.Service.Verbs;

/// <summary>
/// <c>delete</c>: removes the flows that match, as <c>conntrack -D</c>; each by its original tuple, zone and id, never a successor.
/// </summary>
internal static class DeleteVerb
{
    internal static Verb Create(CliContext context, SharedOptions shared)
    {
        FilterOptions filter = new();
        OutputOptions output = new();
        Option<bool> all = new("--all") { Description = "Delete every flow: needed when there is no filter" };
        Option<bool> dryRun = new("--dry-run") { Description = "Show what would be deleted, and delete nothing" };
        Verb verb = new("delete", "Deletes the flows that match, as conntrack -D, and prints them", """
              conntrack-stream delete -p udp -d 192.0.2.53 --dport 53
              conntrack-stream delete -s 10.1.0.0/16 --dry-run
              conntrack-stream delete --all --netns blue
            Exit code 1, as conntrack's, when no flow matched.
            """);
        verb.Add([.. filter.All, all, dryRun, output.Option, shared.Namespace]);
        verb.Validators.Add(result =>
        {
            if (!result.GetValue(all) && !filter.All.Any(option => result.GetResult(option) is { Implicit: false }))
                result.AddError("delete: without a filter every flow would go; say which (-p, -s, -d, …), or --all");
        });
        verb.SetAction((parsed, cancellation) => Task.FromResult(Run(
            shared.OpenNamespace(parsed), filter.Read(parsed), output.Read(parsed, context), parsed.GetValue(dryRun), context,
            cancellation)));
        return verb;
    }

    private static int Run(
        NetworkNamespace networkNamespace, FlowFilter filter, OutputFormat format, bool dryRun, CliContext context,
        CancellationToken cancellation)
    {
        using NetworkNamespace opened = networkNamespace;
        // A socket of its own: the kernel goes on with the dump on another while entries are deleted.
        using ConntrackClient deleting = networkNamespace.Run(static () => new ConntrackClient());
        LineOutput lines = new(
            context.Output, format with { SavesDeletions = true }, networkNamespace.IsCurrent ? null : networkNamespace.Name);
        long done = 0; // the line of the last one may not be among the lines
        try
        {
            new WholeTable(networkNamespace).Read(
                filter.Family,
                (in FlowEvent entry) =>
                {
                    if (!filter.Matches(entry.Flow) || !(dryRun || deleting.Delete(entry.Flow)))
                        return;
                    done++;
                    lines.Write(entry);
                },
                cancellation);
            lines.Finish();
        }
        catch (IOException e) when (!dryRun && done > 0)
        {
            return context.FailPartly($"{done} flow entries have been deleted", e);
        }

        context.Tell($"{lines.Lines} flow entries {(dryRun ? "would be" : "have been")} deleted.");
        return lines.Lines > 0 ? ExitCode.Done : ExitCode.Failed; // as conntrack -D
    }
}
