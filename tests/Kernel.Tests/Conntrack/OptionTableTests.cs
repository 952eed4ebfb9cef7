using System.Globalization;
using System.Text;
using ConntrackStream.Service.Conntrack.Syntax;
using ConntrackStream.Tests;

namespace ConntrackStream.Kernel.Tests.Conntrack;

/// <summary>docs/conntrack.md has a row for each option, with how many of the cases beside the tool use it.</summary>
public sealed class OptionTableTests
{
    private const string Begin = "<!-- options, from the tests -->\n", End = "<!-- end of options -->";

    [Fact]
    public void The_documents_table_is_that_of_the_cases()
    {
        string path = Path.Combine(Root(), "docs", "conntrack.md"), document = File.ReadAllText(path);
        int begin = document.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length, end = document.IndexOf(End, StringComparison.Ordinal);
        Assert.True(begin >= Begin.Length && end >= begin, $"{path} has no place for the table");
        string table = Table();
        Assert.True(table == document[begin..end], $"the table of options in {path} must be:\n{table}");
        Assert.DoesNotContain("| 0 |", table, StringComparison.Ordinal);
    }

    private static string Table()
    {
        Dictionary<string, int> uses = [];
        IEnumerable<string[]> lines = CommandCase.All.Concat(CommandCase.Labels).SelectMany(Lines)
            .Concat(EventsTests.Options.Select(static options => (string[])["-E", .. options.Split(' ')]))
            .Concat(ExpectationTests.Steps.Select(static step => step.Split(' ')));
        foreach (string option in lines.SelectMany(static words => Options(words).Distinct(StringComparer.Ordinal)))
            uses[option] = uses.GetValueOrDefault(option) + 1;

        StringBuilder table = new("| option | also | cases |\n|---|---|--:|\n");
        foreach (IGrouping<int, LongOption> option in LongOption.General.GroupBy(static option => option.Value))
        {
            string[] names = [.. option.Select(static one => $"--{one.Name}")];
            bool isLetter = char.IsAsciiLetter((char)option.Key);
            Row(isLetter ? $"-{(char)option.Key}" : names[0], isLetter ? names : names[1..], Key(option.Key));
        }

        Row("-R", ["--load-file"], "R");
        foreach (ProtocolSyntax protocol in ProtocolSyntax.All)
        {
            foreach (IGrouping<ProtocolOption, string> names in protocol.LongNames.GroupBy(one => one.Option, one => $"--{one.Name}"))
                Row($"-p {protocol.Name} {names.Last()}", [.. names.SkipLast(1)], Key(protocol, names.Key));
        }

        return table.ToString();

        void Row(string name, string[] also, string key)
        {
            int count = uses.GetValueOrDefault(key);
            string others = string.Join(' ', also.Select(static one => $"`{one}`"));
            table.Append(CultureInfo.InvariantCulture, $"| `{name}` | {others} | {(count > 0 ? "✓ " : "")}{count} |\n");
        }
    }

    /// <summary>The command line itself, and those of the file that it loads.</summary>
    private static IEnumerable<string[]> Lines(CommandCase one) =>
        one.Words is ["-R" or "--load-file", _, ..] && one.Input.Length > 0
            ? one.Input.Split('\n').Select(LoadFile.Words).Prepend(one.Words)
            : [one.Words];

    /// <summary>The options that getopt_long finds, up to the first that is unknown.</summary>
    private static IEnumerable<string> Options(string[] words)
    {
        if (words is ["-R" or "--load-file", ..])
            yield return "R";
        List<LongOption> known = [.. LongOption.General];
        OptionReader reader = new(["conntrack", .. words], CommandParser.Letters, known, inOrder: false);
        ProtocolSyntax? protocol = null;
        int option;
        while ((option = reader.Next()) is not (OptionReader.End or OptionReader.Missing or OptionReader.Unknown))
        {
            yield return option >= LongOption.OfProtocol ? Key(protocol!, (ProtocolOption)(option % LongOption.OfProtocol)) : Key(option);
            if (option != 'p' || ProtocolNames.Find(reader.Value!) is not { } named)
                continue;
            protocol = named;
            known.AddRange(named.LongNames.Select(static one => LongOption.Required(one.Name, LongOption.OfProtocol + (int)one.Option)));
        }
    }

    private static string Key(int option) => ((char)option).ToString();

    private static string Key(ProtocolSyntax protocol, ProtocolOption option) => $"{protocol.Name} {option}";

    private static string Root()
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, "ConntrackStream.sln")))
            directory = Path.GetDirectoryName(directory);
        return directory!;
    }
}
