using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using ConntrackStream.Sinks.Files;

namespace ConntrackStream.Sinks.Reclassify.OpenWrt;

/// <summary>
/// A configuration of OpenWrt (/etc/config/NAME): sections of options and lists. Sections of one name and type are one, as with libuci.
/// Unnamed sections get the name libuci gives them.
/// </summary>
public sealed class UciFile
{
    private const long MaxLength = 4 << 20;

    private readonly List<UciSection> _sections;

    private UciFile(List<UciSection> sections) => _sections = sections;

    /// <summary>In the file's order.</summary>
    public IReadOnlyList<UciSection> Sections => _sections;

    /// <summary>The sections of a type, in the file's order.</summary>
    public IEnumerable<UciSection> OfType(string type) => _sections.Where(section => section.Type == type);

    /// <summary>The types of its sections, for people.</summary>
    internal string Types =>
        _sections.Count == 0
            ? "no sections"
            : $"sections of type {string.Join(", ", _sections.Select(section => section.Type).Distinct(StringComparer.Ordinal).Take(10))}";

    /// <summary>The section of a type and name.</summary>
    public UciSection? Find(string type, string name) => _sections.Find(section => section.Type == type && section.Name == name);

    /// <summary>Reads a file of at most 4 MiB that must be root's own, since it decides over what root does.</summary>
    /// <param name="path">The file.</param>
    /// <param name="file">Its content.</param>
    /// <param name="problem">What is wrong, with file and line.</param>
    public static bool TryRead(string path, [NotNullWhen(true)] out UciFile? file, [NotNullWhen(false)] out string? problem)
    {
        file = null;
        if (RootOwned.Problem(path) is { } unsafeFile)
        {
            problem = $"{path} {unsafeFile}";
            return false;
        }

        try
        {
            if (new FileInfo(path).Length > MaxLength)
            {
                problem = $"{path} is larger than {MaxLength >> 20} MiB";
                return false;
            }

            if (TryParse(File.ReadAllText(path), out file, out problem))
                return true;
            problem = $"{path} {problem}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = $"{path} cannot be read: {e.Message}";
        }

        return false;
    }

    /// <param name="text">The file's text.</param>
    /// <param name="file">Its content.</param>
    /// <param name="problem">What is wrong, beginning with <c>line N:</c>.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out UciFile? file, [NotNullWhen(false)] out string? problem)
    {
        List<UciSection> sections = [];
        UciWords words = new(text);
        UciSection? current = null;
        int created = 0;
        file = null;
        while (words.Next())
        {
            problem = words.Problem ?? words.Words switch
            {
                [] => null,
                ["package", _] => null,
                ["config", { Length: > 0 } type] => Open(type, name: null),
                ["config", { Length: > 0 } type, var name] => Open(type, name),
                ["option", { Length: > 0 } key, var value] => Put(key, value, isList: false),
                ["list", { Length: > 0 } key, var value] => Put(key, value, isList: true),
                [var word, ..] =>
                    $"'{word}' is not understood here; a line is: config TYPE ['NAME'], option NAME 'VALUE' or list NAME 'VALUE'",
            };
            if (problem is null)
                continue;
            problem = string.Create(CultureInfo.InvariantCulture, $"line {words.Line}: {problem}");
            return false;
        }

        file = new UciFile(sections);
        problem = null;
        return true;

        string? Open(string type, string? name)
        {
            current = string.IsNullOrEmpty(name) ? null : sections.Find(section => section.Name == name && section.Type == type);
            if (current is not null)
                return null;
            created++;
            current = new UciSection(type, string.IsNullOrEmpty(name) ? UciSection.NameOf(type, created) : name, words.Line);
            sections.Add(current);
            return null;
        }

        string? Put(string key, string value, bool isList)
        {
            current?.Put(key, value, isList);
            return current is null ? $"'{key}' belongs to no section: a line 'config TYPE' must come first" : null;
        }
    }
}
