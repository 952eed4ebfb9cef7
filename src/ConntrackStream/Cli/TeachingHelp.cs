using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace ConntrackStream.Service.Cli;

/// <summary>The library's help, and the verb's examples below it.</summary>
internal sealed class TeachingHelp(HelpAction help, string generalExamples) : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        int code = help.Invoke(parseResult);
        TextWriter output = parseResult.InvocationConfiguration.Output;
        output.WriteLine("Examples:");
        output.WriteLine(parseResult.CommandResult.Command is Verb verb ? verb.Examples : generalExamples);
        return code;
    }
}
