using System.Diagnostics.CodeAnalysis;
using System.Text;
using ConntrackStream.Sinks.Reclassify.Sets.Model;

namespace ConntrackStream.Sinks.Reclassify.Sets;

/// <summary>Members of <paramref name="Set"/> belong on <paramref name="Path"/>.</summary>
/// <param name="Set">The set in the kernel.</param>
/// <param name="Directions">Which end of a flow each dimension of the set's type is compared with.</param>
/// <param name="Path">Name of a path.</param>
public sealed record SetRule(SetName Set, SetDirections Directions, string Path)
{
    /// <summary>Which members' flows the rule decides over, and how; null: all of them, by <see cref="Path"/>.</summary>
    internal SetScope? Scope { get; init; }

    /// <summary>Reads <c>ipset:NAME[@dst+src]=PATH</c> or <c>nft:FAMILY/TABLE/SET[@dst+src]=PATH</c>.</summary>
    /// <param name="error">What is wrong with it, naming the text.</param>
    public static bool TryParse(string? text, [NotNullWhen(true)] out SetRule? rule, [NotNullWhen(false)] out string? error)
    {
        rule = null;
        ReadOnlySpan<char> all = (text ?? "").AsSpan().Trim();
        int equals = all.LastIndexOf('='); // a set's name may hold one, a path's may not
        if (equals < 0 || !IsPath(all[(equals + 1)..]))
        {
            error = $"'{text}': a set rule is ipset:NAME[@dst+src]=PATH or nft:FAMILY/TABLE/SET[@dst+src]=PATH, "
                + "where a path's name is letters, digits, . _ -";
            return false;
        }

        ReadOnlySpan<char> set = all[..equals];
        SetDirections directions = SetDirections.Default;
        int at = set.LastIndexOf('@');
        if (at >= 0 && !SetDirections.TryParse(set[(at + 1)..], out directions))
        {
            error = $"'{text}': after the @ comes src or dst for each dimension of the set's type, joined by +, "
                + $"at most {SetDirections.MaxCount}, such as @dst+dst";
            return false;
        }

        if (!SetName.TryParse(at < 0 ? set : set[..at], out SetName? name, out string? problem))
        {
            error = $"'{text}': {problem}";
            return false;
        }

        rule = new SetRule(name, directions, all[(equals + 1)..].ToString());
        error = null;
        return true;
    }

    /// <summary>The text it is read from.</summary>
    public override string ToString()
    {
        StringBuilder text = new(Set.Text);
        if (!Directions.IsDefault)
            text.Append('@').Append(Directions);
        return text.Append('=').Append(Path).ToString();
    }

    private static bool IsPath(ReadOnlySpan<char> path)
    {
        foreach (char c in path)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or '-'))
                return false;
        }

        return !path.IsEmpty;
    }
}
