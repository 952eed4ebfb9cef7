using System.CommandLine;
using System.CommandLine.Parsing;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Cli;

/// <summary>Options that several verbs have.</summary>
internal sealed class SharedOptions
{
    internal Option<string?> Configuration { get; } = new("--config")
    {
        Description = "Configuration file [/etc/conntrack-stream/appsettings.json, else the one beside the program]",
        HelpName = "FILE",
    };

    internal Option<string[]> Set { get; } = new("--set")
    {
        Description = "One setting, over file and environment (CONNTRACKSTREAM__Section__Key); may be repeated",
        HelpName = "Section:Key=value",
        Arity = ArgumentArity.OneOrMore,
    };

    internal Option<string?> Namespace { get; } = new("--netns")
    {
        Description = "Network namespace: a name under /run/netns, or a path such as /proc/PID/ns/net [the caller's own]",
        HelpName = "NAME",
    };

    internal Option<bool> Live { get; } = new("--live")
    {
        Description = "Ask the running service's live view instead of the kernel",
    };

    internal Option<string?> Socket { get; } = new("--socket")
    {
        Description = "The running service's socket [Api:Socket of the configuration]",
        HelpName = "PATH",
    };

    /// <summary>A validator: --socket needs --live, which has no use for --netns.</summary>
    internal void EitherLiveOrKernel(CommandResult result)
    {
        bool isLive = result.GetValue(Live);
        if (result.GetValue(Socket) is not null && !isLive)
            result.AddError("--socket: only --live asks the running service");
        if (result.GetValue(Namespace) is not null && isLive)
            result.AddError(
                "--netns: --live asks a running service, which follows its own namespace (Tap:NetworkNamespace); name its socket "
                + "with --socket");
    }

    internal ConfigurationSources Sources(ParseResult parsed, CliContext context) => new(
        parsed.GetValue(Configuration), parsed.GetValue(Set))
    {
        Environment = context.Environment,
    };

    /// <exception cref="NetlinkException">There is no such namespace.</exception>
    internal NetworkNamespace OpenNamespace(ParseResult parsed) => NetworkNamespace.Open(parsed.GetValue(Namespace));

    internal string SocketPath(ParseResult parsed, CliContext context) =>
        parsed.GetValue(Socket) ?? OptionsLoader.Load(Sources(parsed, context)).Api.Socket;
}
