package auth

import "golang.org/x/crypto/bcrypt"

func init() { hashCost = bcrypt.MinCost } // 60 ms for each login would make the tests wait for nothing else
