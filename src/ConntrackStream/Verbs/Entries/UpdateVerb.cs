using System.CommandLine;
using System.CommandLine.Parsing;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Output;

namespace ConntrackStream.Service.Verbs.Entries;

/// <summary>
/// <c>update</c>: changes the flows that match, as <c>conntrack -U</c>; each by its original tuple and zone, and only while its id is the
/// one that was listed. The kernel itself looks at no id in an update, so it is asked for just before.
/// </summary>
internal static class UpdateVerb
{
    internal static Verb Create(CliContext context, SharedOptions shared)
    {
        FilterOptions filter = new();
        EntryChange change = new();
        OutputOptions output = new();
        Option<bool> all = new("--all") { Description = "Change every flow: needed when there is no filter" };
        Option<bool> dryRun = new("--dry-run") { Description = "Show what would be changed, and change nothing" };
        Verb verb = new("update", "Changes mark, timeout, status or labels of the flows that match, and prints them", """
              conntrack-stream update -s 10.1.0.0/16 --set-mark 0x100/0xff00 --dry-run
              conntrack-stream update -p udp --dport 53 --set-timeout 10
              conntrack-stream update -m 0x1bd10-0x1bdff --label-add 5
            A flow that is as wanted already is left alone. Exit code 1, as conntrack's, when no flow was changed.
            """);
        verb.Add([.. change.All, .. filter.All, all, dryRun, output.Option, shared.Namespace]);
        verb.Validators.Add(result =>
        {
            if (!change.All.Any(option => result.GetResult(option) is { Implicit: false }))
                result.AddError("update: change what? Write --set-mark, --set-timeout, --set-status, --label-add or --label-del");
            if (!result.GetValue(all) && !filter.All.Any(option => result.GetResult(option) is { Implicit: false }))
                result.AddError("update: without a filter every flow would be changed; say which (-p, -s, -d, …), or --all");
        });
        verb.SetAction((parsed, cancellation) => Task.FromResult(Run(
            shared.OpenNamespace(parsed), filter.Read(parsed), (in Flow flow) => change.For(flow, parsed), output.Read(parsed, context),
            parsed.GetValue(dryRun), context, cancellation)));
        return verb;
    }

    private delegate EntryRequest? RequestFor(in Flow flow);

    private static int Run(
        NetworkNamespace networkNamespace, FlowFilter filter, RequestFor requestFor, OutputFormat format, bool dryRun, CliContext context,
        CancellationToken cancellation)
    {
        using NetworkNamespace opened = networkNamespace;
        // A socket of its own: the kernel goes on with the dump on another while entries are changed.
        using ConntrackClient client = networkNamespace.Run(static () => new ConntrackClient());
        LineOutput lines = new(context.Output, format, networkNamespace.IsCurrent ? null : networkNamespace.Name);
        FlowBatch now = new();
        long withoutRoom = 0, done = 0; // the line of the last one may not be among the lines
        try
        {
            new WholeTable(networkNamespace).Read(
                filter.Family,
                (in FlowEvent entry) =>
                {
                    if (!filter.Matches(entry.Flow) || requestFor(entry.Flow) is not { } request)
                        return;
                    if (dryRun)
                    {
                        lines.Write(entry);
                        return;
                    }

                    if (!IsStill(client, entry.Flow, now) || !TryUpdate(client, request, ref withoutRoom))
                        return;
                    done++;
                    if (IsStill(client, entry.Flow, now))
                        lines.Write(now.Span[0]);
                },
                cancellation);
            lines.Finish();
        }
        catch (IOException e) when (done > 0)
        {
            return context.FailPartly($"{done} flow entries have been updated", e);
        }

        if (withoutRoom > 0)
            context.Fail($"{withoutRoom} flow entries have no room for labels: they began while no rule of the namespace used labels");
        context.Tell($"{lines.Lines} flow entries {(dryRun ? "would be" : "have been")} updated.");
        return lines.Lines > 0 ? ExitCode.Done : ExitCode.Failed; // as conntrack -U
    }

    private static bool IsStill(ConntrackClient client, in Flow flow, FlowBatch now)
    {
        now.Reset();
        return client.TryGet(flow.Original, now) && now.Span[0].Flow.Id == flow.Id;
    }

    private static bool TryUpdate(ConntrackClient client, EntryRequest request, ref long withoutRoom)
    {
        try
        {
            return client.Update(request);
        }
        catch (NetlinkException e) when (e.Errno == Errno.ENOSPC && request.Labels is not null)
        {
            withoutRoom++;
            return false;
        }
    }
}
