/**
 * Lists as far as the types need them. Not `readonly T[]` and `readonly [T, ...T[]]`: of those the compiler reports a
 * misspelt name at the whole list, or at a whole map that could have been a list, instead of at the name.
 */

export interface List<T> {
  readonly length: number;
  readonly [index: number]: T;
}

/** The compiler looks for the misspelt element of a list that has a first one only at places it knows of. */
type Further<T> = { readonly [K in 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15]?: T };

/** At least one. */
export type NonEmptyList<T> = List<T> & Further<T> & { readonly 0: T };
