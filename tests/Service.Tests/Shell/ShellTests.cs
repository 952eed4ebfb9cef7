using System.CommandLine;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Options;
using ConntrackStream.Service.Shell;

namespace ConntrackStream.Service.Tests.Shell;

/// <summary>Completions and manual page, against the command line that they are written from.</summary>
public sealed class ShellTests
{
    private static readonly RootCommand Root =
        new CommandLine(new CliContext { Output = Stream.Null, Error = TextWriter.Null }).Build(new SharedOptions());

    private static readonly CommandEntry Program = CommandEntry.Of(Root);

    [Fact]
    public void Each_offered_word_is_one_that_the_option_takes()
    {
        List<string> refused = [];
        foreach (CommandEntry command in Program.All())
        {
            foreach ((OptionEntry option, string word) in command.Options.SelectMany(static option => option.Words
                .Select(word => (option, word))))
            {
                string[] arguments = [.. command.Path.Split('/', StringSplitOptions.RemoveEmptyEntries), option.Names[0], word];
                refused.AddRange(Root.Parse(arguments).Errors.Select(static error => error.Message)
                    .Where(message => message.Contains($"'{word}'", StringComparison.Ordinal)));
            }
        }

        Assert.Empty(refused);
    }

    [Fact]
    public void Each_offered_value_of_a_key_is_one_that_it_takes() => Assert.All(
        ValueWords.Settings.Where(static word => word[^1] != '='),
        static word =>
        {
            string[] parts = word.Split('=');
            OptionKey key = OptionCatalog.Of(new ServiceOptions()).Single(key => key.Path == parts[0]);
            Assert.True(OptionText.TryParse(key.Type, key.Path, parts[1], out _), word);
        });

    [Fact]
    public void Every_switch_is_offered_with_both_its_values() => Assert.All(
        OptionCatalog.Of(new ServiceOptions()).Where(static key => key.Type == typeof(bool)),
        static key => Assert.Equal(
            [$"{key.Path}=true", $"{key.Path}=false"],
            ValueWords.Settings.Where(word => word.StartsWith($"{key.Path}=", StringComparison.Ordinal)),
            StringComparer.Ordinal));

    [Fact]
    public void Each_verb_and_option_is_in_every_script_and_on_the_page()
    {
        string[] texts = [BashCompletion.Of(Program), ZshCompletion.Of(Program), FishCompletion.Of(Program)];
        string page = ManualPage.Of(Program, "").Replace("\\-", "-", StringComparison.Ordinal);
        Assert.All(Program.All().Skip(1), command =>
        {
            Assert.All(texts, text => Assert.Contains(command.Name, text, StringComparison.Ordinal));
            Assert.Contains($".SS \"{command.Path[1..].Replace('/', ' ')}", page, StringComparison.Ordinal);
            foreach (string name in command.AllOptions.SelectMany(static option => option.Names))
            {
                string fish = name.StartsWith("--", StringComparison.Ordinal) ? $" -l {name[2..]} " : $" -s {name[1..]} ";
                string[] spelled = [name, name, fish];
                Assert.All(texts.Zip(spelled), static pair => Assert.Contains(pair.Second, pair.First, StringComparison.Ordinal));
                Assert.Contains(name, page, StringComparison.Ordinal);
            }
        });
    }

    [Fact]
    public void What_is_hidden_is_offered_nowhere() => Assert.DoesNotContain(Program.All(), static command => command.Name == "manual");

    /// <summary>One bash for all cases: a line as it is typed, and what is offered for its end.</summary>
    [Fact]
    public void Bash_completes_what_is_typed()
    {
        (string Typed, string Offered)[] cases =
        [
            ("li", "list"),
            ("map ", "show audit --help -h --config --set"),
            ("--", "--version --help --config --set"),
            ("list -p ud", "udp udplite"),
            ("list --proto=ic", "icmp icmpv6"),
            ("list -p tcp --st", "--state --status"),
            ("list -p list --fam", "--family"),
            ("list -u ASSURED,UNR", "ASSURED,UNREPLIED"),
            ("list -o json,xml,", "json,xml,text json,xml,save json,xml,extended json,xml,id json,xml,timestamp json,xml,ktimestamp "
                + "json,xml,labels"),
            ("conntrack -L d", "dying"),
            ("conntrack -L -p sctp --st", "--stats --status --state"),
            ("conntrack -Lo xml -o xml,k", "xml,ktimestamp"),
            ("conntrack -p udp", "udp udplite"),
            ("conntrack -R /etc/hostna", "/etc/hostname"),
            ("insert --st", "--status --state"),
            ("insert -u UN", "UNREPLIED UNSET"),
            ("insert --mask", ""),
            ("watch -e NEW,D", "NEW,DESTROY"),
            ("run --set FlowLog:Pa", "Path="),
            ("run --set Tap:Track=", "true false"),
            ("run --set Tap:Tra", "Track=true Track=false"),
            ("run --set Map:Mode=d", "delete"),
            ("run --set Logging:Level=in", "information info"),
            ("run --set FlowLog:Filter:Include:St", "State= Status="),
            ("update --se", "--set-mark --set-timeout --set-status --secmark"), // no --set: it reads no configuration
            ("demo r", "race"),
            ("health --socket /etc/hostna", "/etc/hostname"),
            ("verify-log /etc/hostna", "/etc/hostname"),
            ("rates --top ", ""),
            ("completion f", "fish"),
            ("nothing-such --x", ""),
        ];
        string script = BashCompletion.Of(Program) + string.Concat(cases.Select(static one =>
            $"COMP_LINE='conntrack-stream {one.Typed}'; COMP_POINT=${{#COMP_LINE}}; _conntrack_stream; echo \"${{COMPREPLY[*]}}\"\n"));
        string[] offered = ToolRun.Output("bash", ["-c", $"set -u\n{script}"]).Split('\n')[..^1];
        Assert.Equal(
            string.Join('\n', cases.Select(static one => $"{one.Typed} -> {one.Offered}")),
            string.Join('\n', cases.Zip(offered, static (one, got) => $"{one.Typed} -> {got}")));
    }

    /// <summary>What troff would take as a request or an escape.</summary>
    [Fact]
    public void Texts_cannot_break_the_page()
    {
        Roff page = new();
        page.Text(".SH x");
        page.Text(@"a\b -x 'q'");
        page.Section("say \"x\"");
        Assert.Equal("\\&.SH x\na\\eb \\-x \\(aqq\\(aq\n.SH \"say \\(dqx\\(dq\"\n", page.ToString());
    }

    [Fact]
    public void Another_shell_is_refused() => Assert.Contains(
        "SHELL: 'tcsh' is not one of bash, zsh, fish",
        Root.Parse(["completion", "tcsh"]).Errors.Select(static error => error.Message),
        StringComparer.Ordinal);
}
