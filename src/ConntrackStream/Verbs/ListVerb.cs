using System.CommandLine;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Api;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Output;

namespace ConntrackStream.Service.Verbs;

/// <summary><c>list</c>: the table's flows, streamed; as <c>conntrack -L</c>.</summary>
internal static class ListVerb
{
    internal static Verb Create(CliContext context, SharedOptions shared)
    {
        FilterOptions filter = new();
        OutputOptions output = new();
        Option<EntryList> table = ValueOption.Of<EntryList>(
            ["--table"], "conntrack, dying or unconfirmed: where the kernel keeps the entries [conntrack]", "TABLE", EntryList.Conntrack,
            static (string text, out EntryList list) => Enum.TryParse(text, ignoreCase: true, out list) && !char.IsAsciiDigit(text[0]),
            "a table: conntrack, dying or unconfirmed");
        Option<bool> zero = new("--zero", "-z") { Description = "Set the counters of each entry to zero as it is shown; all entries only" };
        Verb verb = new("list", "Shows the flows in the connection table, as conntrack -L", """
              conntrack-stream list -p tcp --dport 443 --state ESTABLISHED
              conntrack-stream list -s 10.0.0.0/8 --any-nat -o extended,id
              conntrack-stream list --netns blue -o json | jq .src
              conntrack-stream list --live -o json     asks the running service, with flow ids
              conntrack-stream list --table dying      removed, and not yet told to a listener with reliable delivery
              conntrack-stream list -o save | conntrack-stream load-file - --netns blue
            """)
        {
            UsesConfiguration = parsed => parsed.GetValue(shared.Live) && parsed.GetValue(shared.Socket) is null,
        };
        verb.Add([.. filter.All, table, zero, output.Option, shared.Namespace, shared.Live, shared.Socket]);
        verb.Validators.Add(shared.EitherLiveOrKernel);
        verb.Validators.Add(result =>
        {
            bool isTable = result.GetResult(table) is { Implicit: false };
            if (result.GetValue(shared.Live) && (isTable || result.GetValue(zero) || output.IsOfKernel(result)))
                result.AddError("--live: asks the running service; --table, --zero and the outputs xml and save are of the kernel's table");
            if (!result.GetValue(zero))
                return;
            if (isTable)
                result.AddError("--zero: only the connection table has its counters set to zero");
            foreach (Option option in filter.All.Where(option => result.GetResult(option) is { Implicit: false }))
            {
                if (option.Name != "--family")
                    result.AddError($"--zero: the kernel would also zero the entries that {option.Name} leaves out; use --family alone");
            }
        });
        verb.SetAction(async (parsed, cancellation) =>
        {
            OutputFormat format = output.Read(parsed, context);
            long shown = parsed.GetValue(shared.Live)
                ? await ApiClient.ListAsync(
                    shared.SocketPath(parsed, context), filter.ToQuery(parsed), format, context.Output, cancellation).ConfigureAwait(false)
                : List(
                    shared.OpenNamespace(parsed), filter.Read(parsed),
                    new DumpRequest { List = parsed.GetValue(table), ZeroCounters = parsed.GetValue(zero) }, format, context.Output,
                    cancellation);
            context.Tell($"{shown} flow entries have been shown.");
            return ExitCode.Done;
        });
        return verb;
    }

    private static long List(
        NetworkNamespace networkNamespace, FlowFilter filter, DumpRequest request, OutputFormat format, Stream output,
        CancellationToken cancellation)
    {
        using NetworkNamespace opened = networkNamespace;
        LineOutput lines = new(output, format, networkNamespace.IsCurrent ? null : networkNamespace.Name);
        EntryVisitor write = (in FlowEvent entry) =>
        {
            if (filter.Matches(entry.Flow))
                lines.Write(entry);
        };
        if (request is { List: EntryList.Conntrack, ZeroCounters: false })
            new WholeTable(networkNamespace).Read(filter.Family, write, cancellation);
        else
            ReadOnce(networkNamespace, request with { Family = filter.Family }, write, cancellation);
        lines.Finish();
        return lines.Lines;
    }

    /// <summary>Never again: a second reading would zero what has been counted since the first.</summary>
    private static void ReadOnce(
        NetworkNamespace networkNamespace, DumpRequest request, EntryVisitor onEntry, CancellationToken cancellation)
    {
        using ConntrackClient client = networkNamespace.Run(static () => new ConntrackClient());
        client.Dump(
            request,
            new FlowBatchPool(),
            batch =>
            {
                foreach (ref readonly FlowEvent row in batch.Span)
                {
                    if (request.Family == FlowFamily.Unspecified || row.Flow.Original.Family == request.Family)
                        onEntry(row);
                }

                batch.Release();
            },
            cancellation);
    }
}
