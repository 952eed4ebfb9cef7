using System.Globalization;

namespace ConntrackStream.Sinks.MapCleaning.Module;

/// <summary>The AWS agent's own cleaner of its map, as far as its command line tells.</summary>
/// <param name="Process">The program's file name.</param>
/// <param name="Period">Seconds; it cleans each half of it. Null: not given, so the agent's default.</param>
internal sealed record AgentCleaner(string Process, int? Period)
{
    /// <summary>The flag of the AWS Network Policy Agent, in seconds.</summary>
    internal const string Flag = "--conntrack-cache-cleanup-period";

    internal const int DefaultPeriod = 300;

    private static readonly string[] Names = ["aws-network-policy-agent", "aws-eks-nodeagent"];

    internal int Seconds => Period ?? DefaultPeriod;

    /// <summary>
    /// The agent among this machine's processes, those of other containers included where /proc shows them; null when there is none.
    /// </summary>
    internal static AgentCleaner? Find()
    {
        foreach (
            string directory in Directory.EnumerateDirectories("/proc").Where(static path => char.IsAsciiDigit(Path.GetFileName(path)[0])))
        {
            try
            {
                if (TryParse(File.ReadAllText(Path.Combine(directory, "cmdline")), out AgentCleaner? agent))
                    return agent;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The process has ended, or is none of ours.
            }
        }

        return null;
    }

    /// <param name="commandLine">/proc/PID/cmdline: arguments, each ended by a zero byte.</param>
    internal static bool TryParse(string commandLine, out AgentCleaner? agent)
    {
        string[] words = commandLine.Split('\0', StringSplitOptions.RemoveEmptyEntries);
        agent = null;
        if (words.Length == 0)
            return false;
        string name = Path.GetFileName(words[0]);
        int at = Array.FindIndex(words, 1, IsFlag);
        if (at < 0 && !Names.Contains(name, StringComparer.Ordinal))
            return false;
        string? value = at < 0 ? null
            : words[at].IndexOf('=', StringComparison.Ordinal) is > 0 and int equals ? words[at][(equals + 1)..]
            : words.ElementAtOrDefault(at + 1);
        agent = new AgentCleaner(name, int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int seconds)
            ? seconds
            : null);
        return true;
    }

    // Go's flag package takes one dash as well as two.
    private static bool IsFlag(string word)
    {
        string bare = "-" + word.TrimStart('-');
        return word.StartsWith('-') && (bare == Flag[1..] || bare.StartsWith(Flag[1..] + "=", StringComparison.Ordinal));
    }
}
