using System.CommandLine;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Conntrack.Runs;
using ConntrackStream.Service.Conntrack.Syntax;

namespace ConntrackStream.Service.Verbs.Entries;

/// <summary><c>expect</c>: the table of expectations, as <c>conntrack -L expect</c>.</summary>
internal static class ExpectVerb
{
    private static readonly string[] Words = ["text", "xml", "timestamp"];

    internal static Verb Create(CliContext context, SharedOptions shared)
    {
        Option<FlowFamily> family = FlushVerb.FamilyOption();
        Option<bool> count = new("--count") { Description = "Print their number alone" };
        Option<bool> flush = new("--flush") { Description = "Delete all of them" };
        Option<string[]> output = new("--output", "-o")
        {
            Description = "text (as conntrack prints it, default) or xml, and timestamp",
            HelpName = "FORM[,…]",
            Arity = ArgumentArity.OneOrMore,
            CustomParser = static result => OutputOptions.ReadWords(result, Words),
        };
        Verb verb = new("expect", "Shows the flows that helpers expect, such as data connections of FTP", """
              conntrack-stream expect
              conntrack-stream expect --count --netns blue
              conntrack-stream expect --flush
            """);
        verb.Add([family, count, flush, output, shared.Namespace]);
        verb.Validators.Add(result =>
        {
            if (result.GetValue(count) && result.GetValue(flush))
                result.AddError("expect: --count and --flush exclude each other");
        });
        verb.SetAction((parsed, _) => Task.FromResult(Run(
            shared.OpenNamespace(parsed), parsed.GetValue(family), parsed.GetValue(count), parsed.GetValue(flush),
            parsed.GetValue(output) ?? [], context)));
        return verb;
    }

    private static int Run(
        NetworkNamespace networkNamespace, FlowFamily family, bool onlyCount, bool flush, string[] words, CliContext context)
    {
        using NetworkNamespace opened = networkNamespace;
        using ConntrackClient client = networkNamespace.Run(static () => new ConntrackClient());
        if (flush)
        {
            client.FlushExpectations();
            context.Tell("the expectation table has been emptied.");
            return ExitCode.Done;
        }

        OutputTypes types = (words.Contains("xml", StringComparer.Ordinal) ? OutputTypes.Xml : default)
            | (words.Contains("timestamp", StringComparer.Ordinal) ? OutputTypes.Timestamp : default);
        ExpectLines lines = new(context.Output, types, context.Time);
        long count = 0;
        client.DumpExpectations(
            family,
            expectation =>
            {
                count++;
                if (!onlyCount)
                    lines.Write(FlowEventType.Row, expectation);
            });
        lines.EndFrame();
        lines.Flush();
        if (onlyCount)
            context.Print($"{count}");
        else
            context.Tell($"{count} expectations have been shown.");
        return ExitCode.Done;
    }
}
