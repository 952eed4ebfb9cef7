namespace ConntrackStream.Pipeline.Configuration;

/// <summary>Levenshtein's distance, ignoring case: how many letters must be added, removed or replaced.</summary>
public static class EditDistance
{
    /// <summary>The name that a mistyped word most likely meant; null when none is near.</summary>
    public static string? Nearest(string word, IEnumerable<string> names)
    {
        (int distance, string? nearest) = names.Select(name => (Between(word, name), (string?)name)).Order().FirstOrDefault();
        return distance <= Math.Max(2, word.Length / 3) ? nearest : null;
    }

    private static int Between(string left, string right)
    {
        int[] row = [.. Enumerable.Range(0, right.Length + 1)];
        for (int i = 1; i <= left.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= right.Length; j++)
            {
                int same = char.ToLowerInvariant(left[i - 1]) == char.ToLowerInvariant(right[j - 1]) ? 0 : 1;
                (diagonal, row[j]) = (row[j], Math.Min(diagonal + same, Math.Min(row[j], row[j - 1]) + 1));
            }
        }

        return row[^1];
    }
}
