using System.CommandLine;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Cli;

namespace ConntrackStream.Service.Verbs.Entries;

/// <summary><c>flush</c>: empties the table in one request, as <c>conntrack -F</c>.</summary>
internal static class FlushVerb
{
    internal static Verb Create(CliContext context, SharedOptions shared)
    {
        Option<FlowFamily> family = FamilyOption();
        Option<bool> dryRun = new("--dry-run") { Description = "Say how many flows there are, and delete nothing" };
        Verb verb = new("flush", "Deletes every flow of the connection table at once, as conntrack -F", """
              conntrack-stream flush --netns blue
              conntrack-stream flush -f ipv6 --dry-run
            Every connection must be recognised again from its next packet, and NAT decided again. To delete some flows: delete.
            """);
        verb.Add([family, dryRun, shared.Namespace]);
        verb.SetAction((parsed, cancellation) => Task.FromResult(Run(
            shared.OpenNamespace(parsed), parsed.GetValue(family), parsed.GetValue(dryRun), context, cancellation)));
        return verb;
    }

    internal static Option<FlowFamily> FamilyOption()
    {
        Option<FlowFamily> option = ValueOption.Of(
            ["--family", "-f"], "ipv4 or ipv6 [both]", "FAMILY", FlowFamily.Unspecified,
            static (string text, out FlowFamily value) => FamilyNames.TryParse(text, out value), "a family: ipv4 or ipv6");
        option.DefaultValueFactory = null; // the help would name it
        return option;
    }

    private static int Run(
        NetworkNamespace networkNamespace, FlowFamily family, bool dryRun, CliContext context, CancellationToken cancellation)
    {
        using NetworkNamespace opened = networkNamespace;
        if (dryRun)
        {
            long count = 0;
            new WholeTable(networkNamespace).Read(family, (in FlowEvent _) => count++, cancellation);
            context.Tell($"{count} flow entries would be deleted.");
            return ExitCode.Done;
        }

        using ConntrackClient client = networkNamespace.Run(static () => new ConntrackClient());
        client.Flush(family);
        context.Tell($"the connection table has been emptied{(family == FlowFamily.Unspecified ? "" : $" of {family.Name()}")}.");
        return ExitCode.Done;
    }
}
