using System.Collections;
using System.Diagnostics;
using System.Text;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Conntrack;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Kernel.Tests.Conntrack;

/// <summary>A namespace in which the tool and our command, in this process, do the same.</summary>
internal sealed class CommandRig : IDisposable
{
    private const string Tool = "conntrack";

    private readonly NetworkNamespace _network;

    internal CommandRig()
    {
        Requirements.Tool(Tool);
        Space = new KernelNamespace();
        _network = NetworkNamespace.OpenName(Space.Name);
    }

    internal KernelNamespace Space { get; }

    internal string LabelFile { get; init; } = ConntrackLabels.DefaultPath;

    /// <summary>Runs the tool.</summary>
    internal (int ExitCode, string Output, string Error) RunTool(string[] words, string input) => RunTool(Tool, words, input);

    /// <summary>Runs a program inside, started by a thread that is there: much faster than by way of ip.</summary>
    internal (int ExitCode, string Output, string Error) RunTool(string tool, string[] words, string input)
    {
        using Process process = Space.Run(() => ToolRun.Start(tool, words));
        return ToolRun.Finish(process, input);
    }

    /// <summary>Runs our command.</summary>
    internal (int ExitCode, string Output, string Error) Run(string[] words, string input = "")
    {
        using MemoryStream output = new();
        using StringWriter error = new();
        int code = RunAsync(words, output, error, input, TestContext.Current.CancellationToken).GetAwaiter().GetResult();
        return (code, Encoding.UTF8.GetString(output.ToArray()), error.ToString());
    }

    internal Task<int> RunAsync(string[] words, Stream output, TextWriter error, string input, CancellationToken cancellation)
    {
        CliContext context = new()
        {
            Output = output,
            Error = error,
            CalledAs = Tool,
            Environment = new Hashtable(),
            OpenInput = () => new MemoryStream(Encoding.UTF8.GetBytes(input)),
        };
        return new ConntrackCommand(context, _network) { LabelFile = LabelFile }.RunAsync(words, cancellation);
    }

    /// <summary>Does what must not fail, one command line each.</summary>
    internal void Do(params string[] lines)
    {
        (int code, _, string error) = Run(["-R", "-"], string.Join('\n', lines));
        Assert.True(code == 0, error);
    }

    /// <summary>The whole table.</summary>
    internal string Table() => Run(["-L", "-o", "extended"]).Output;

    public void Dispose()
    {
        _network.Dispose();
        Space.Dispose();
    }
}
