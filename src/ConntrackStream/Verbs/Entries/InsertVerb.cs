using System.CommandLine;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Conntrack;
using ConntrackStream.Service.Conntrack.Syntax;

namespace ConntrackStream.Service.Verbs.Entries;

/// <summary>
/// <c>insert</c> and <c>load-file</c>: entries made as <c>conntrack -I</c> and <c>-R</c> make them, from conntrack's own options, which are
/// read and judged by the same code.
/// </summary>
internal static class InsertVerb
{
    internal static Verb Create(CliContext context, SharedOptions shared)
    {
        Verb verb = new("insert", "Makes a flow, from the options of conntrack -I", """
              conntrack-stream insert -p udp -s 10.0.0.5 -d 192.0.2.53 --sport 1024 --dport 53 -t 30
              conntrack-stream insert --netns blue -p tcp -s 10.0.0.5 -d 192.0.2.7 --sport 1 --dport 80 --state ESTABLISHED -t 60 -m 7
              conntrack-stream insert -p tcp -s 10.0.0.5 -d 192.0.2.7 --sport 2 --dport 80 --state SYN_SENT -t 60 -n 203.0.113.1:40000
            Options, errors and exit codes are those of conntrack -I; of the reply direction only what NAT changes need be said.
            """)
        {
            Takes = OptionMeanings.Of(CommandKind.Create),
        };
        Argument<string[]> options = new("OPTION")
        {
            Description = "What the flow is like: options of conntrack -I, which are listed below",
            Arity = ArgumentArity.ZeroOrMore,
        };
        verb.Arguments.Add(options);
        verb.Add([shared.Namespace]);
        verb.SetAction((parsed, cancellation) => RunAsync(
            shared, parsed, ["-I", .. parsed.GetValue(options) ?? []], verb.Name, context, cancellation));
        return verb;
    }

    internal static Verb CreateLoadFile(CliContext context, SharedOptions shared)
    {
        Argument<string> file = new("FILE") { Description = "Lines such as list -o save prints; - for standard input" };
        Verb verb = new("load-file", "Makes, changes and deletes flows as a file says, as conntrack -R", """
              conntrack-stream list -w 11 -o save | sed 's/-w 11/-w 12/' | conntrack-stream load-file -
              conntrack-stream load-file saved --netns blue
            Each line is a command line of conntrack -I, -A, -U, -D or -F. All are read before the first one is done.
            """);
        verb.Arguments.Add(file);
        verb.Add([shared.Namespace]);
        verb.SetAction((parsed, cancellation) => RunAsync(
            shared, parsed, ["-R", parsed.GetValue(file)!], verb.Name, context, cancellation));
        return verb;
    }

    private static async Task<int> RunAsync(
        SharedOptions shared, ParseResult parsed, string[] arguments, string verb, CliContext context, CancellationToken cancellation)
    {
        using NetworkNamespace networkNamespace = shared.OpenNamespace(parsed);
        ConntrackCommand command = new(context, networkNamespace) { Verb = verb };
        return await command.RunAsync(arguments, cancellation).ConfigureAwait(false);
    }
}
